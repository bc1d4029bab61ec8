import { displayPath, type WatchedPath } from '../domain/watched-path.ts';
import type { FileStat } from '../ports/file-source.ts';
import type { FileRecord, NewFile } from '../ports/journal.ts';
import type { SessionFile, SortedFiles } from './sort-files.ts';

/** Boot and file times are of one clock, which may have been set since. */
const marginMs = 1000;

/** A file that is shorter than what arrived of it, and that nobody has written to since this host was started. */
export interface CutFile {
  readonly file: SessionFile;
  readonly row: FileRecord;
}

export type IsCut = (row: FileRecord | undefined, stat: FileStat) => row is FileRecord;

/**
 * A file may be in the bucket before its bytes are on the disk. When the power goes then, it comes back shorter or empty, with
 * the times that it had: nobody cut it, and what it has now must not take the place of the longer object. Anything that is
 * written to it after the start of this host is a change like any other. Wall-clock times.
 */
export function cutBefore(bootedAtMs: number, nowMs: number): IsCut {
  // Without a clock of its own a host comes up in the past: what is later than now was before, too.
  const isEarlier = (ms: number) => ms < bootedAtMs - marginMs || ms > nowMs + marginMs;
  return (row, stat): row is FileRecord =>
    row?.role === 'companion' &&
    row.state === 'uploaded' &&
    row.receipt !== undefined &&
    stat.sizeBytes < row.sizeBytes &&
    isEarlier(row.receipt.receivedAtMs) &&
    isEarlier(lastTimeMs(row, stat));
}

/** A start lets go of claims that nobody needs any more, and moves ctime by it. */
function lastTimeMs({ claim }: FileRecord, { mtimeNs, ctimeNs }: FileStat): number {
  const isMtime = claim !== undefined || mtimeNs > ctimeNs;
  return Number((isMtime ? mtimeNs : ctimeNs) / 1_000_000n);
}

export function withoutCut(
  sorted: SortedFiles,
  known: ReadonlyMap<WatchedPath, FileRecord>,
  isCut: IsCut,
): { readonly sorted: SortedFiles; readonly cut: readonly CutFile[] } {
  const cut: CutFile[] = [];
  const companions = sorted.companions.filter((file) => {
    const row = known.get(file.path);
    if (!isCut(row, file.entry.stat)) return true;
    cut.push({ file, row });
    return false;
  });
  if (cut.length === 0) return { sorted, cut };
  return { sorted: { ...sorted, companions, warnings: [...sorted.warnings, ...cut.map(warning)] }, cut };
}

/** As the journal knows it: it stays what it is in the bucket. */
export function asKnown({ row: { path, role, key, sizeBytes, fingerprint, claim } }: CutFile): NewFile {
  return { path, role, key, sizeBytes, fingerprint, claim };
}

function warning({ file: { path, entry }, row }: CutFile): string {
  return `${displayPath(path)}: ${row.sizeBytes} bytes of it arrived before this host was started, the disk has ${entry.stat.sizeBytes} of them since, and nobody wrote to it: the power went before the disk had them, or it was cut while no trainlogd ran. The bucket keeps what it has; touch the file to have it there as it is here`;
}
