import type { Month } from '../domain/log-month.ts';
import { companionFolder, foreignKey } from '../domain/object-key.ts';
import type { SessionLog } from '../domain/session-log.ts';
import type { ListedObject } from '../ports/object-reader.ts';
import type { RecordedSession } from '../ports/recorded-objects.ts';
import {
  absent,
  byKey,
  type ExpectedObject,
  expectedByJournal,
  expectedByLog,
  isLoss,
  type Verdict,
  verdictOn,
} from './expected-object.ts';
import { inOrder } from './in-order.ts';
import { isOfMonths, type LogObject, type ReadLog, readLog } from './log-object.ts';
import type { Reading } from './reading.ts';

export interface Verification {
  readonly reading: Reading;
  /** Objects that are older may have been removed by the bucket's lifecycle; undefined: it removes none. */
  readonly expireAfterDays: number | undefined;
}

export interface SessionVerdict {
  readonly session: string;
  /** Objects that were looked for, and their bytes. */
  readonly objects: number;
  readonly bytes: number;
  readonly verdicts: readonly Verdict[];
}

/** What is known of one session: its log as it was listed, what the journal recorded, or both. */
export interface KnownSession {
  readonly found?: LogObject | undefined;
  readonly recorded?: RecordedSession | undefined;
}

const looksMax = 3;
const singlesAtOnce = 4;

/**
 * Holds the bucket against what the session's log lists and what the journal recorded: one read, one list. Undefined for
 * a session of none of these months, which only its log can tell where keys do not.
 */
export async function verifySession(
  verification: Verification,
  { found, recorded }: KnownSession,
  months: readonly Month[],
  signal: AbortSignal,
): Promise<SessionVerdict | undefined> {
  const { reading } = verification;
  const readAgain = async () => found && (await readLog(reading, found, signal));
  let read = await readAgain();
  for (let looks = 1; ; looks += 1) {
    const log = read?.outcome === 'read' ? read.log : undefined;
    if (found && log && !isOfMonths(found, log, months)) return undefined;
    const verdict = await look(verification, { found, recorded, read, log }, signal);
    if (!verdict.verdicts.some(isLoss) || looks === looksMax) return verdict;
    // An agent may be at work: before it replaces an object it writes the log anew.
    const again = await readAgain();
    if (etagOf(again) === etagOf(read)) return verdict;
    read = again;
  }
}

function etagOf(read: ReadLog | undefined): string | undefined {
  return read?.outcome === 'read' ? read.etag : read?.outcome;
}

type Known = KnownSession & { readonly read: ReadLog | undefined; readonly log: SessionLog | undefined };

async function look(verification: Verification, known: Known, signal: AbortSignal): Promise<SessionVerdict> {
  const { found, recorded, log } = known;
  const session = found?.id ?? recorded?.id ?? '';
  // Another host may have gone on with the session, or recovered it: then its log knows more than our journal.
  const isOvertaken = log !== undefined && recorded !== undefined && log.session.revision > recorded.revision;
  const wanted = byKey([
    ...(log ? expectedByLog(log) : []),
    ...(recorded && !isOvertaken ? expectedByJournal(recorded) : []),
  ]);
  const all = [...wanted.values()].flat();
  const startedAtMs = log ? Date.parse(log.session.startedAt) : recorded?.startedAtMs;
  const verdicts = [
    ...(isOvertaken ? [] : logVerdict(verification, session, known)),
    ...(await objectVerdicts(verification, session, startedAtMs, wanted, signal)),
  ];
  const bytes = all.reduce((sum, object) => sum + (object.bytes ?? 0), found?.object.sizeBytes ?? 0);
  return { session, objects: all.length + 1, bytes, verdicts };
}

function logVerdict(
  { reading, expireAfterDays }: Verification,
  session: string,
  { found, recorded, read }: Known,
): Verdict[] {
  const etag = recorded?.logEtag;
  const named: Omit<Verdict, 'verdict'> = {
    ...{ session, key: found?.object.key ?? recorded?.key ?? '' },
    by: recorded ? 'journal' : 'log',
    ...(etag !== undefined && { etag }),
  };
  switch (read?.outcome) {
    case 'read':
      if (etag === undefined || read.etag === etag) return [];
      return [{ ...named, verdict: 'changed', found: { bytes: read.bytes.length, etag: read.etag } }];
    case 'archived':
      return [{ ...named, verdict: 'archived' }];
    case 'unreadable':
      return [{ ...named, verdict: 'unreadable', cause: read.why }];
    default: {
      // Removed since it was listed, or not listed: a loss where our journal says that it was there.
      if (recorded === undefined || recorded.revision === 0) return [];
      const expected = { ...named, sinceMs: recorded.startedAtMs };
      return [absent(session, expected, { nowMs: reading.clock.nowMs(), expireAfterDays })];
    }
  }
}

async function objectVerdicts(
  verification: Verification,
  session: string,
  startedAtMs: number | undefined,
  wanted: Map<string, ExpectedObject[]>,
  signal: AbortSignal,
): Promise<Verdict[]> {
  const { reading, expireAfterDays } = verification;
  const { reader, keyTemplate } = reading;
  const verdicts: Verdict[] = [];
  const judge = (object: ListedObject) => {
    for (const one of wanted.get(object.key) ?? []) verdicts.push(...some(verdictOn(session, one, object)));
    wanted.delete(object.key);
  };
  if (startedAtMs !== undefined && wanted.size > 0) {
    const folder = companionFolder(keyTemplate, startedAtMs, session);
    for await (const page of reader.pages(folder, { etags: true }, signal)) page.forEach(judge);
  }
  const elsewhere = [...wanted.keys()].filter((key) => foreignKey(keyTemplate, key) === undefined);
  const ask = (key: string, until: AbortSignal) => single(reading, key, until);
  for await (const object of inOrder(elsewhere, singlesAtOnce, ask, signal)) if (object) judge(object);
  for (const [key, ones] of wanted) {
    const cause = foreignKey(keyTemplate, key);
    for (const { sinceMs, ...one } of ones) {
      if (cause === undefined)
        verdicts.push(
          absent(session, { ...one, sinceMs }, { nowMs: reading.clock.nowMs(), expireAfterDays }),
        );
      else verdicts.push({ session, ...one, verdict: 'foreign', cause });
    }
  }
  return verdicts;
}

/** One that does not lie where the session's files lie: shipped under another template, or gone. */
async function single(
  { reader }: Reading,
  key: string,
  signal: AbortSignal,
): Promise<ListedObject | undefined> {
  for await (const page of reader.pages(key, { limit: 1, etags: true }, signal))
    return page.find((object) => object.key === key);
  return undefined;
}

function some<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}
