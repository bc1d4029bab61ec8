import type { LogPlace, Month } from '../domain/log-month.ts';
import type { SessionLog } from '../domain/session-log.ts';
import { inOrder } from './in-order.ts';
import { isOfMonths, type LogObject, logObjects, readLog } from './log-object.ts';
import { placesFor, type Reading } from './reading.ts';

/** A session as a list shows it; its log in the bucket has all. */
export interface ListedSession {
  readonly id: string;
  readonly key: string;
  readonly status: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly durationSeconds?: number;
  readonly framework?: string;
  readonly user?: string;
  readonly cost?: number;
  readonly currency?: string;
  /** Companions in the bucket. */
  readonly files: number;
  /** Of log and companions. */
  readonly bytes: number;
  readonly missing: number;
}

/** One whose log cannot be read, and why. */
export interface UnreadSession {
  readonly id: string;
  readonly key: string;
  readonly problem: 'archived' | 'unreadable';
  readonly cause: string;
  readonly remedy?: string;
}

export type SessionLine = ListedSession | UnreadSession;

const readsAtOnce = 16;
const placesAtOnce = 8;

/** The sessions of a month in the order of their keys, as they are read: nothing is held but what is under way. */
export async function* listMonth(
  reading: Reading,
  month: Month,
  signal: AbortSignal,
): AsyncGenerator<SessionLine> {
  for (const place of placesFor(reading, month)) {
    const lines = inOrder(
      logObjects(reading, place, signal),
      readsAtOnce,
      (found, until) => lineOf(reading, found, place.months, until),
      signal,
    );
    for await (const line of lines) if (line) yield line;
  }
}

/** Those whose logs were written last, in the newest months that have any; latest start first. */
export async function listNewest(
  reading: Reading,
  count: number,
  signal: AbortSignal,
): Promise<readonly SessionLine[]> {
  const found: { readonly object: LogObject; readonly place: LogPlace }[] = [];
  const places = placesFor(reading, undefined);
  const newest = (place: LogPlace, until: AbortSignal) => newestAt(reading, place, count, until);
  for await (const objects of inOrder(places, placesAtOnce, newest, signal)) {
    found.push(...objects);
    if (found.length >= count) break;
  }
  const wanted = found.slice(0, count);
  const lines: SessionLine[] = [];
  const read = ({ object, place }: (typeof wanted)[number], until: AbortSignal) =>
    lineOf(reading, object, place.months, until);
  for await (const line of inOrder(wanted, readsAtOnce, read, signal)) if (line) lines.push(line);
  return lines.sort((a, b) => startOf(b).localeCompare(startOf(a)));
}

async function newestAt(reading: Reading, place: LogPlace, count: number, signal: AbortSignal) {
  let kept: LogObject[] = [];
  const cut = () =>
    kept.sort((a, b) => (b.object.writtenAtMs ?? 0) - (a.object.writtenAtMs ?? 0)).slice(0, count);
  for await (const object of logObjects(reading, place, signal)) {
    kept.push(object);
    if (kept.length >= 10 * count) kept = cut();
  }
  return cut().map((object) => ({ object, place }));
}

async function lineOf(
  reading: Reading,
  found: LogObject,
  months: readonly Month[],
  signal: AbortSignal,
): Promise<SessionLine | undefined> {
  const { id, object } = found;
  const read = await readLog(reading, found, signal);
  const at = { id, key: object.key };
  switch (read.outcome) {
    case 'read':
      return isOfMonths(found, read.log, months)
        ? { ...at, ...sessionOf(read.log, object.sizeBytes) }
        : undefined;
    case 'archived':
      return {
        ...at,
        problem: 'archived',
        cause: 'its log is in an archive class',
        ...(read.restore !== undefined && { remedy: read.restore }),
      };
    case 'unreadable':
      return { ...at, problem: 'unreadable', cause: read.why, remedy: 'look what wrote it' };
    case 'gone':
      return undefined;
    default:
      return read satisfies never;
  }
}

function sessionOf(log: SessionLog, logBytes: number): Omit<ListedSession, 'id' | 'key'> {
  const { session, user, pod, results, companions, missing } = log;
  const { status, startedAt, endedAt, framework } = session;
  const seconds =
    results?.durationSeconds ?? (endedAt && (Date.parse(endedAt) - Date.parse(startedAt)) / 1000);
  return {
    ...{ status, startedAt },
    ...(endedAt !== undefined && { endedAt }),
    ...(typeof seconds === 'number' && { durationSeconds: seconds }),
    ...(framework !== undefined && { framework }),
    ...(user?.username !== undefined && { user: user.username }),
    ...(pod?.cost !== undefined && { cost: pod.cost }),
    ...(pod?.cost !== undefined && pod.currency !== undefined && { currency: pod.currency }),
    files: companions.length,
    bytes: companions.reduce((sum, { bytes }) => sum + bytes, logBytes),
    missing: missing.length,
  };
}

/** What cannot be read comes last. */
function startOf(line: SessionLine): string {
  return 'problem' in line ? '' : new Date(line.startedAt).toISOString();
}
