/** Amounts in sentences for people. */

const sizes = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export function bytesSaid(bytes: number): string {
  let value = bytes;
  let at = 0;
  while (value >= 1000 && at < sizes.length - 1) {
    value /= 1024;
    at += 1;
  }
  return `${at === 0 ? value : value.toPrecision(3)} ${sizes[at]}`;
}

/** The one unit in which it is a number that one can picture: `40 s`, `55 min`, `30 h`, `9 days`. */
export function spanSaid(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 100) return `${Math.round(seconds)} s`;
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** `1 file`, `2 files`. */
export function countSaid(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
