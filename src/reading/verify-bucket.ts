import type { LogPlace, Month } from '../domain/log-month.ts';
import { monthOf } from '../domain/log-month.ts';
import type { RecordedSession } from '../ports/recorded-objects.ts';
import type { Verdict } from './expected-object.ts';
import { inOrder } from './in-order.ts';
import { type LogObject, logObjects } from './log-object.ts';
import type { OwnRecords } from './own-records.ts';
import { placesFor } from './reading.ts';
import { lastKey, straySessions } from './stray-sessions.ts';
import {
  type KnownSession,
  type SessionVerdict,
  type Verification,
  verifySession,
} from './verify-session.ts';

/** What came of one month, or of all that keys without a month do not tell apart. */
export interface MonthVerdict {
  readonly month: string;
  readonly sessions: number;
  readonly objects: number;
  readonly bytes: number;
  readonly losses: number;
  readonly archived: number;
  readonly expired: number;
}

export type VerifyStep =
  | { readonly kind: 'session'; readonly month: string; readonly of: SessionVerdict }
  | { readonly kind: 'month'; readonly of: MonthVerdict };

/** In place of a month: what today's template leads nobody to. */
const otherKeys = 'other keys';
const placesAtOnce = 8;
const sessionsAtOnce = 8;
/** Sessions for which the journal is asked at once, and whose records are in memory. */
const batchMax = 100;

/**
 * Month by month, newest first: every session whose log is in the bucket, and every one that the journal of this machine
 * recorded. Memory holds a batch of sessions, however many there are.
 */
export async function* verifyBucket(
  verification: Verification,
  records: OwnRecords,
  month: Month | undefined,
  signal: AbortSignal,
): AsyncGenerator<VerifyStep> {
  const { reading } = verification;
  const recordedMonths = await records.recordedMonths();
  const look = async (place: LogPlace, until: AbortSignal): Promise<LogPlace | undefined> => {
    if (place.months.some((one) => recordedMonths.has(one))) return place;
    for await (const page of reading.reader.pages(place.prefix, { isFlat: place.isFlat, limit: 1 }, until))
      return page.length > 0 ? place : undefined;
    return undefined;
  };
  for await (const place of inOrder(placesFor(reading, month), placesAtOnce, look, signal))
    if (place) yield* verifyPlace(verification, records, place, signal);
  const everywhere = placesFor(reading, undefined);
  const strays = straySessions(reading, records, everywhere, month, signal);
  const verify = (session: KnownSession & { recorded: RecordedSession }, until: AbortSignal) =>
    verifySession(verification, session, [monthOf(session.recorded.startedAtMs)], until);
  yield* verifyAll(inOrder(strays, sessionsAtOnce, verify, signal), otherKeys);
}

async function* verifyPlace(
  verification: Verification,
  records: OwnRecords,
  place: LogPlace,
  signal: AbortSignal,
): AsyncGenerator<VerifyStep> {
  const [only, ...others] = place.months;
  const month = only !== undefined && others.length === 0 ? only : `${place.prefix}…`;
  const known = knownSessions(verification, records, place, signal);
  const verify = (session: KnownSession, until: AbortSignal) =>
    verifySession(verification, session, place.months, until);
  yield* verifyAll(inOrder(known, sessionsAtOnce, verify, signal), month);
}

async function* verifyAll(
  verdicts: AsyncIterable<SessionVerdict | undefined>,
  month: string,
): AsyncGenerator<VerifyStep> {
  const tally = { month, sessions: 0, objects: 0, bytes: 0, losses: 0, archived: 0, expired: 0 };
  for await (const of of verdicts) {
    if (of === undefined) continue;
    tally.sessions += 1;
    tally.objects += of.objects;
    tally.bytes += of.bytes;
    for (const { verdict } of of.verdicts) tally[countOf(verdict)] += 1;
    yield { kind: 'session', month, of };
  }
  if (tally.sessions > 0) yield { kind: 'month', of: tally };
}

function countOf(verdict: Verdict['verdict']): 'losses' | 'archived' | 'expired' {
  return verdict === 'archived' || verdict === 'expired' ? verdict : 'losses';
}

/** Both lists are in the order of keys, so that each batch of one tells which part of the other belongs to it. */
async function* knownSessions(
  { reading }: Verification,
  records: OwnRecords,
  place: LogPlace,
  signal: AbortSignal,
): AsyncGenerator<KnownSession> {
  let after = place.prefix;
  let batch: LogObject[] = [];
  for await (const found of logObjects(reading, place, signal)) {
    batch.push(found);
    if (batch.length < batchMax) continue;
    yield* joined(batch, records, place, after, found.object.key);
    after = found.object.key;
    batch = [];
  }
  // Nothing that begins with the prefix comes behind this.
  yield* joined(batch, records, place, after, `${place.prefix}${lastKey}`);
}

async function* joined(
  batch: readonly LogObject[],
  records: OwnRecords,
  { months }: LogPlace,
  after: string,
  to: string,
): AsyncGenerator<KnownSession> {
  const recorded = new Map<string, RecordedSession>();
  for (const session of await records.recordedSessions(after, to))
    if (months.includes(monthOf(session.startedAtMs))) recorded.set(session.key, session);
  for (const found of batch) {
    const session = recorded.get(found.object.key);
    recorded.delete(found.object.key);
    yield { found, ...(session && { recorded: session }) };
  }
  for (const session of recorded.values()) yield { recorded: session };
}
