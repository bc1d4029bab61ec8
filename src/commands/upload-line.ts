import { bar, percent } from './bar.ts';
import { columnsOf, cutEnd, cutStart } from './columns.ts';
import { humanBytes, humanShare, humanSpan } from './human.ts';
import { oneLine } from './one-line.ts';

const barColumnsMax = 22;
const barColumnsMin = 8;
const sessionColumnsMax = 40;
const pathColumnsMin = 8;

export interface Moved {
  readonly sentBytes: number;
  readonly sizeBytes: number;
  readonly bytesPerSecond: number | undefined;
}

/** `  [####----]  40 %  1.20 of 3.00 GiB  12.0 MiB/s  3 min left`; the bar gives way where there is no room for all. */
export function movedLine(
  { sentBytes, sizeBytes, bytesPerSecond }: Moved,
  columns: number,
  more = '',
): string {
  const sent = Math.min(sentBytes, sizeBytes);
  const pace = bytesPerSecond === undefined ? '' : paceText(sizeBytes - sent, bytesPerSecond);
  const text = `${percent(sent, sizeBytes)}  ${humanShare(sent, sizeBytes)}${pace}${more}`;
  const room = Math.min(barColumnsMax, Math.max(barColumnsMin, columns - columnsOf(text) - 3));
  return cutEnd(`  ${bar(sent, sizeBytes, room)}${text}`, columns);
}

function paceText(leftBytes: number, bytesPerSecond: number): string {
  const left = bytesPerSecond > 0 ? `${humanSpan((leftBytes * 1000) / bytesPerSecond)} left` : 'stands still';
  return `  ${humanBytes(bytesPerSecond)}/s  ${left}`;
}

/** The end of the path says which file it is; the session is said as far as there is room. */
export function nameLine({ session, path }: { session: string; path: string }, columns: number): string {
  const of = ` of ${cutEnd(oneLine(session), sessionColumnsMax)}`;
  return cutEnd(
    `  ${cutStart(oneLine(path), Math.max(pathColumnsMin, columns - 2 - columnsOf(of)))}${of}`,
    columns,
  );
}
