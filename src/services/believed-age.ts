import { changedMsOf, type FileStat } from '../ports/file-source.ts';

/** File times are believed on our own clock's disks; on others only when they are far in the past. */
const networkDoubtMs = 10 * 60_000;

/** How long ago a file was last changed, as far as its times can be believed; else 0. */
export function believedAgeMs(stat: FileStat, nowMs: number, isNetwork: boolean): number {
  const ageMs = nowMs - changedMsOf(stat);
  return ageMs > (isNetwork ? networkDoubtMs : 0) ? ageMs : 0;
}
