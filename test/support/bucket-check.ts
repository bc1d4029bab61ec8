import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import PQueue from 'p-queue';
import { z } from 'zod';
import { type SessionLog, sessionLogSchema } from '../../src/domain/session-log.ts';
import type { ObjectVersion, TestBucket } from './s3-bucket.ts';
import type { TrainedSession } from './trainer.ts';

/** As published, so that what others validate with is what is tested. */
const published = z.fromJSONSchema(
  JSON.parse(
    readFileSync(join(import.meta.dirname, '..', '..', 'config', 'session-log.schema.json'), 'utf8'),
  ),
);
const readsAtOnce = 16;
/** Written once to learn what the server honours; of no session. */
export const probeObject = 'training-logs/companions/.trainlogd-probe';
const logKey = /^training-logs\/\d{4}\/\d{2}\/[^/]+\.log$/;

export interface ShippedLog {
  readonly key: string;
  readonly log: SessionLog;
  readonly versions: number;
}

export interface CheckOptions {
  /**
   * Two first logs of one key may both be written where the server ignores If-None-Match (Ceph, with versions): the
   * session whose log is not there when it looks again moves to another id, and leaves one version more behind.
   */
  readonly lostFirstWrites?: boolean;
}

export interface BucketReport {
  /** One sentence for everything that is not as it must be. */
  readonly problems: readonly string[];
  readonly logs: readonly ShippedLog[];
  readonly companionVersions: number;
}

/** Holds the whole bucket against what was trained: nothing less in it, nothing else, every byte. */
export async function checkBucket(
  bucket: TestBucket,
  sessions: readonly TrainedSession[],
  options: CheckOptions = {},
): Promise<BucketReport> {
  const versions = Map.groupBy(await bucket.versions(), ({ key }) => key);
  const keys = [...versions.keys()];
  const objects = await readAll(bucket, keys);
  const logs = keys.filter((key) => logKey.test(key)).map((key) => readLog(key, objects, versions));
  const problems = logs.flatMap((log) => logProblems(log, options));
  const used = new Set(logs.map(({ key }) => key));
  const free = new Set(logs);
  for (const session of sessions) {
    const found = [...free].find((candidate) => isOf(session, candidate, objects));
    if (!found) {
      problems.push(`session ${session.path} has no log of its own with its bytes`);
      continue;
    }
    free.delete(found);
    problems.push(...sessionProblems(session, found, objects, versions));
    for (const { key } of found.log.companions) used.add(key);
  }
  for (const { key, log } of free)
    problems.push(`${key} (${log.session.name}) is of no session that was trained`);
  for (const key of keys)
    if (!used.has(key) && key !== probeObject) problems.push(`${key} is listed by no log`);
  const companionVersions = keys
    .filter((key) => !logKey.test(key) && key !== probeObject)
    .flatMap((key) => versions.get(key) ?? []).length;
  return { problems, logs, companionVersions };
}

export async function readAll(bucket: TestBucket, keys: readonly string[]): Promise<Map<string, Buffer>> {
  const queue = new PQueue({ concurrency: readsAtOnce });
  const read = keys.map((key) => queue.add(async () => [key, await bucket.bytes(key)] as const));
  return new Map(await Promise.all(read));
}

function readLog(
  key: string,
  objects: ReadonlyMap<string, Buffer>,
  versions: ReadonlyMap<string, readonly ObjectVersion[]>,
): ShippedLog {
  const json: unknown = JSON.parse(objects.get(key)?.toString('utf8') ?? '');
  published.parse(json);
  return { key, log: sessionLogSchema.parse(json), versions: versions.get(key)?.length ?? 0 };
}

/** One version a revision: nothing was sent twice, nothing was lost between. */
function logProblems({ key, log, versions }: ShippedLog, { lostFirstWrites }: CheckOptions): string[] {
  const { revision, id } = log.session;
  const problems: string[] = [];
  const lostMax = lostFirstWrites ? 1 : 0;
  if (versions < revision || versions > revision + lostMax)
    problems.push(`${key} is revision ${revision} and has ${versions} versions`);
  if (!key.endsWith(`/${id}.log`)) problems.push(`${key} holds session ${id}`);
  for (const { path, reason } of log.missing) problems.push(`${key} misses ${path}: ${reason}`);
  return problems;
}

/** Every file that a session trained is different from those of the others, so bytes tell whose log it is. */
function isOf(session: TrainedSession, { log }: ShippedLog, objects: ReadonlyMap<string, Buffer>): boolean {
  if (log.session.name !== session.path) return false;
  const mine = session.companions.get('stdout.log');
  const there = log.companions.find(({ path }) => path === 'stdout.log');
  return mine !== undefined && there !== undefined && objects.get(there.key)?.equals(mine) === true;
}

function sessionProblems(
  session: TrainedSession,
  { key, log }: ShippedLog,
  objects: ReadonlyMap<string, Buffer>,
  versions: ReadonlyMap<string, readonly ObjectVersion[]>,
): string[] {
  const problems: string[] = [];
  const { id, status } = log.session;
  if (status !== session.status) problems.push(`${key} is ${status}, not ${session.status}`);
  if (session.id !== undefined && id !== session.id && !new RegExp(`^${session.id}-[0-9a-f]{6}$`).test(id)) {
    problems.push(`${key} is not called ${session.id}`);
  }
  const listed = new Map(log.companions.map((companion) => [companion.path, companion]));
  for (const [path, bytes] of session.companions) {
    const companion = listed.get(path);
    if (!companion) problems.push(`${key} does not list ${path}`);
    else if (!objects.get(companion.key)?.equals(bytes)) problems.push(`${companion.key} has other bytes`);
    else if (companion.bytes !== bytes.length) problems.push(`${key} gives ${path} another size`);
    const count = companion ? (versions.get(companion.key)?.length ?? 0) : 1;
    if (count !== 1) problems.push(`${companion?.key} has ${count} versions`);
    listed.delete(path);
  }
  for (const path of listed.keys()) problems.push(`${key} lists ${path}, which was not trained`);
  return [...problems, ...nativeProblems(session, key, log)];
}

function nativeProblems(session: TrainedSession, key: string, log: SessionLog): string[] {
  const native = [...session.files].filter(([path]) => !session.companions.has(path));
  return native.flatMap(([path, bytes]) => {
    const same = JSON.stringify(log.native[path]) === JSON.stringify(JSON.parse(bytes.toString('utf8')));
    return same ? [] : [`${key} does not hold ${path} as it was written`];
  });
}
