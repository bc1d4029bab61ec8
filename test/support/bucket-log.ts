import { type SessionLog, sessionLogSchema } from '../../src/domain/session-log.ts';
import type { TestBucket } from './s3.ts';

export interface CheckedLog {
  readonly log: SessionLog;
  /** The object of a companion, by its path in the session. */
  bytesOf(path: string): Promise<Buffer>;
}

/** The one log of a bucket as it is now, valid, each listed companion there with the ETag that it names. */
export async function checkedLog(bucket: TestBucket): Promise<CheckedLog> {
  const latest = (await bucket.versions('training-logs/')).filter(({ isLatest }) => isLatest);
  const [found, ...others] = latest.filter(({ key }) => /^training-logs\/\d{4}\//.test(key));
  if (!found || others.length > 0)
    throw new Error(`expected one log, there are ${latest.map(({ key }) => key).join(', ')}`);
  const log = sessionLogSchema.parse(JSON.parse((await bucket.bytes(found.key)).toString()));
  const etags = new Map(latest.map(({ key, etag }) => [key, etag]));
  for (const { path, key, etag } of log.companions) {
    if (etags.get(key) !== etag) throw new Error(`${path}: the log says ${etag}, there is ${etags.get(key)}`);
  }
  const keyOf = (path: string) => log.companions.find((entry) => entry.path === path)?.key ?? path;
  return { log, bytesOf: (path) => bucket.bytes(keyOf(path)) };
}
