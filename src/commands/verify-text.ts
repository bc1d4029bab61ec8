import type { Verdict } from '../reading/expected-object.ts';
import type { MonthVerdict } from '../reading/verify-bucket.ts';
import { counted, humanBytes } from './human.ts';
import { oneLine } from './one-line.ts';

/** `gone: run-7: "train.log": training-logs/companions/…: its log lists it with 1.2 MiB` */
export function lossLine(verdict: Verdict): string {
  const { session, path, key } = verdict;
  const what = path === undefined ? 'its log' : JSON.stringify(path);
  return `${verdict.verdict}: ${oneLine(`${session}: ${what}: ${key}: ${causeOf(verdict)}`)}\n`;
}

function causeOf({ verdict, by, bytes, etag, found, cause }: Verdict): string {
  if (cause !== undefined) return cause;
  const who = by === 'log' ? 'the log lists' : 'the journal recorded';
  const size = bytes === undefined ? '' : ` ${bytes} bytes`;
  const wanted = `${who}${size}${etag === undefined ? '' : ` with ETag ${etag}`}`;
  if (verdict === 'gone' || found === undefined) return `not there; ${wanted}`;
  return `${found.bytes} bytes with ETag ${found.etag} are there; ${wanted}`;
}

/** `2026-11: 9 sessions, 23 objects, 28.7 MiB: all there; 3 archived` */
export function monthLine({
  month,
  sessions,
  objects,
  bytes,
  losses,
  archived,
  expired,
}: MonthVerdict): string {
  const apart = [
    ...(archived > 0 ? [`${archived} archived`] : []),
    ...(expired > 0 ? [`${expired} expired`] : []),
  ];
  const size = `${counted(sessions, 'session')}, ${counted(objects, 'object')}, ${humanBytes(bytes)}`;
  const told = [losses === 0 ? 'nothing lost' : `${losses} lost or changed`, ...apart].join('; ');
  return `${oneLine(month)}: ${size}: ${told}\n`;
}

export function verdictText({
  sessions,
  losses,
}: {
  readonly sessions: number;
  readonly losses: number;
}): string {
  if (sessions === 0) return 'no sessions\n';
  if (losses === 0) return 'every object is there, unchanged\n';
  const remedy = 'a versioned bucket may still have what was there: list its versions at these keys';
  return `${counted(losses, 'object')} lost or changed: ${remedy}\n`;
}
