import { createHash } from 'node:crypto';
import PQueue from 'p-queue';
import { type SessionLog, sessionLogSchema } from '../../src/domain/session-log.ts';
import type { TestBucket } from '../support/s3-bucket.ts';

const readsAtOnce = 16;
const logKey = /^training-logs\/\d{4}\/\d{2}\/[^/]+\.log$/;

export interface DeliveredSession {
  readonly log: SessionLog;
  /** What `digests` of guest.sh prints for the directory, when all of it has arrived as it is there. */
  readonly digest: string;
}

/** By the names of their directories, what the bucket holds of sessions, each object read to its end. */
export async function deliveredSessions(bucket: TestBucket): Promise<ReadonlyMap<string, DeliveredSession>> {
  const keys = new Set((await bucket.versions('training-logs/')).map(({ key }) => key));
  const queue = new PQueue({ concurrency: readsAtOnce });
  const read = (key: string) => queue.add(() => bucket.bytes(key));
  const logs = [...keys].filter((key) => logKey.test(key));
  const found = logs.map(async (key) => {
    const log = sessionLogSchema.parse(JSON.parse((await read(key)).toString()));
    // It stands in the log, and is a companion only where it cannot be read.
    const companions = log.companions.filter(({ path }) => path !== 'session.json');
    const lines = companions.map(async (companion) => {
      const bytes = await read(companion.key);
      return `${sha256(bytes)}  ${companion.path}\n`;
    });
    // By path, as `ls` prints them in the C locale.
    const sorted = (await Promise.all(lines)).sort((a, b) => (a.slice(64) < b.slice(64) ? -1 : 1));
    return [log.session.name ?? '', { log, digest: sha256(sorted.join('')) }] as const;
  });
  return new Map(await Promise.all(found));
}

/** As `digests` of guest.sh prints them. */
export function digestsOf(delivered: ReadonlyMap<string, DeliveredSession>): string[] {
  return [...delivered].map(([name, { digest }]) => `${name} ${digest}`).sort();
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
