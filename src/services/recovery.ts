import { companionFolder, resumeKey, sessionLogKey } from '../domain/object-key.ts';
import { readSessionLog } from '../domain/read-session-log.ts';
import { recoveredLog, unfinishedFiles, withoutListed } from '../domain/recovered-log.ts';
import { type ResumeRecord, readResumeRecord } from '../domain/resume-record.ts';
import { type CompanionEntry, renderSessionLog, type SessionLog } from '../domain/session-log.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { bytesSource } from './bytes-source.ts';
import {
  completeFile,
  earlierObject,
  type FoundLog,
  type Loss,
  type RecoveryOptions,
} from './recovery-files.ts';

/** What became of one file that the session's log misses. */
export type FileRecovery =
  | { readonly path: string; readonly outcome: 'completed'; readonly key: string; readonly bytes: number }
  | ({ readonly path: string; readonly outcome: 'lost' } & Loss);

/**
 * `tooEarly`: the session's host may be alive, nothing was done. `unreadable`: something else lies where its log should.
 * `ended`: nothing is missing that anybody was to send.
 */
export type Recovery =
  | { readonly outcome: 'notFound' }
  | { readonly outcome: 'unreadable'; readonly key: string }
  | { readonly outcome: 'ended'; readonly key: string; readonly status: string }
  | { readonly outcome: 'tooEarly'; readonly key: string; readonly againAtMs: number }
  | {
      readonly outcome: 'recovered';
      readonly key: string;
      readonly status: string;
      readonly revision: number;
      readonly files: readonly FileRecovery[];
    };

const monthsMax = 60;
const logBytesMax = 64 * 1024 * 1024;
const recordBytesMax = 16 * 1024 * 1024;
/** A host that wrote something so recently may well be alive. */
export const quietMs = 10 * 60_000;

interface FoundRecord {
  readonly record: ResumeRecord | undefined;
  readonly writtenAtMs: number | undefined;
}

/**
 * Completes what a host that is lost had sent of its growing files, from any other, with no more rights than the host
 * had: the bucket holds all that is needed. Done twice, or cut off anywhere, it comes to the same.
 *
 *   invariant: no object that a log lists is replaced before that log names it as missing alone
 */
export async function recoverSession(
  options: RecoveryOptions,
  id: string,
  signal: AbortSignal,
): Promise<Recovery> {
  const key = await findLog(options, id, signal);
  if (key === undefined) return { outcome: 'notFound' };
  const found = await readLog(options.store, key, signal);
  if (!found) return { outcome: 'unreadable', key };
  const { log } = found;
  const { status } = log.session;
  const files = unfinishedFiles(log);
  if (files.length === 0 && status !== 'running') return { outcome: 'ended', key, status };
  const records = new Map<string, FoundRecord>();
  for (const { path } of files) {
    const record = await findRecord(options, found, path, signal);
    if (record) records.set(path, record);
  }
  const againAtMs = lastWriteMs(found, records) + quietMs;
  if (againAtMs > options.clock.nowMs()) return { outcome: 'tooEarly', key, againAtMs };
  return complete(options, found, records, signal);
}

async function complete(
  options: RecoveryOptions,
  found: FoundLog,
  records: ReadonlyMap<string, FoundRecord>,
  signal: AbortSignal,
): Promise<Recovery> {
  const { store } = options;
  const unfinished = unfinishedFiles(found.log).map(({ path }) => path);
  const usable = new Set(unfinished.filter((path) => records.get(path)?.record));
  const mayBeReplaced = found.log.companions.some(({ path }) => usable.has(path));
  const at = mayBeReplaced ? await writeLog(store, found, withoutListed(found.log, usable), signal) : found;
  const files: FileRecovery[] = [];
  const completed = new Map<string, CompanionEntry>();
  const kept: CompanionEntry[] = [];
  const add = (entry: CompanionEntry) => {
    completed.set(entry.path, entry);
    files.push({ path: entry.path, outcome: 'completed', key: entry.key, bytes: entry.bytes });
  };
  for (const path of unfinished) {
    const done = await completeFile(store, path, records.get(path)?.record, signal);
    if (!('cause' in done)) {
      add(done);
      continue;
    }
    const earlier = await earlierObject(options, found, path, signal);
    const wasListed = found.log.companions.find((entry) => entry.path === path);
    if (earlier && earlier.etag !== wasListed?.etag) {
      add(earlier);
      continue;
    }
    if (earlier && usable.has(path)) kept.push(earlier);
    files.push({ path, outcome: 'lost', ...done });
  }
  const lost = new Set(files.flatMap(({ path, outcome }) => (outcome === 'lost' ? [path] : [])));
  const rest = { ...at.log, companions: [...at.log.companions, ...kept] };
  const { log, object } = await writeLog(store, at, recoveredLog(rest, { completed, lost }), signal);
  const { status, revision } = log.session;
  return { outcome: 'recovered', key: object.key, status, revision, files };
}

/** Keys of the present month and those before it, in which a session of this id may have begun. */
async function findLog(
  { store, keyTemplate, clock }: RecoveryOptions,
  id: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const now = new Date(clock.nowMs());
  const months = Array.from({ length: monthsMax }, (_, back) =>
    Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1),
  );
  for (const key of new Set(months.map((month) => sessionLogKey(keyTemplate, month, id)))) {
    if (await store.find(key, signal)) return key;
  }
  return undefined;
}

async function readLog(store: ObjectStore, key: string, signal: AbortSignal): Promise<FoundLog | undefined> {
  const known = await store.find(key, signal);
  if (!known) return undefined;
  const { bytes, object } = await store.get(key, logBytesMax, signal);
  const log = readSessionLog(bytes.toString('utf8'));
  return log && { log, object: { ...known, ...object, metadata: known.metadata } };
}

/** Undefined when there is none of this session's; without a record when it cannot be used. */
async function findRecord(
  { store, keyTemplate }: RecoveryOptions,
  { log, object }: FoundLog,
  path: string,
  signal: AbortSignal,
): Promise<FoundRecord | undefined> {
  const { id, startedAt } = log.session;
  const started = new Date(startedAt);
  const found = await store.find(resumeKey(keyTemplate, started, id, path), signal);
  if (!found || found.metadata['origin'] !== object.metadata['origin']) return undefined;
  const { bytes } = await store.get(found.key, recordBytesMax, signal);
  const record = readResumeRecord(bytes.toString('utf8'));
  const isOfFile =
    record?.session === id &&
    record.path === path &&
    record.key.startsWith(companionFolder(keyTemplate, started, id));
  return { record: isOfFile ? record : undefined, writtenAtMs: found.writtenAtMs };
}

function lastWriteMs({ object }: FoundLog, records: ReadonlyMap<string, FoundRecord>): number {
  const times = [...records.values()].map(({ writtenAtMs }) => writtenAtMs);
  return Math.max(...[object.writtenAtMs, ...times].map((time) => time ?? Number.NEGATIVE_INFINITY));
}

/** Over exactly the log that was read. Throws Conflict when another is there by now. */
async function writeLog(
  store: ObjectStore,
  { object }: FoundLog,
  log: SessionLog,
  signal: AbortSignal,
): Promise<FoundLog> {
  const metadata = { ...object.metadata, revision: String(log.session.revision) };
  const { key, etag } = object;
  const receipt = await store.put(
    {
      key,
      source: bytesSource(Buffer.from(renderSessionLog(log))),
      contentType: 'application/json',
      metadata,
      condition: { etag },
    },
    signal,
  );
  return { log, object: { key, etag: receipt.etag, sizeBytes: receipt.sizeBytes, metadata } };
}
