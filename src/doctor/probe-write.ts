import { unlimited } from '../adapters/bandwidth.ts';
import { bodyOf } from '../adapters/s3-body.ts';
import { objectHeaders } from '../adapters/s3-params.ts';
import { S3Sender } from '../adapters/s3-sender.ts';
import type { S3Destination } from '../config/config.ts';
import { Failure } from '../domain/failure.ts';
import { type Asking, attempt, isDenied, type Tried, tryToRead } from './asking.ts';

/** The one object that the doctor writes; under the least policy it cannot be deleted, so it is always the same. */
export interface Written {
  readonly key: string;
  readonly tried: readonly Tried[];
  /** It is taken without this: that is what was denied. */
  readonly deniedFor?: 'tags' | 'encryption';
}

const content = Buffer.from('trainlogd doctor wrote this object to see that it can; it may be deleted.\n');

/** Outside the months, which are read as tables, and outside the companions of any session. */
export function doctorKey(prefix: string, hostName: string): string {
  return `${prefix}.trainlogd-doctor/${hostName.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, 128) || 'host'}`;
}

export async function tryToWrite(asking: Asking, prefix: string): Promise<Written> {
  const { visit, destination, client } = asking;
  const key = doctorKey(prefix, visit.machine.hostName);
  const at = { client, bucket: destination.bucket };
  const idleTimeoutMs = visit.limits.requestMs;
  const sender = new S3Sender({ at, access: visit.access, bandwidth: unlimited, idleTimeoutMs });
  try {
    const failure = await write(asking, sender, key, destination);
    const tried: Tried = { action: 's3:PutObject', on: key, ...(failure && { failure }) };
    if (failure === undefined) return { key, tried: [tried, ...(await tryToRead(asking, key))] };
    const deniedFor = isDenied(failure) ? await findReason(asking, sender, key) : undefined;
    return { key, tried: [tried], ...(deniedFor && { deniedFor }) };
  } finally {
    sender.close();
  }
}

/** Only AWS says which action it denied: what is configured beyond the least policy is left out, one after the other. */
async function findReason(asking: Asking, sender: S3Sender, key: string): Promise<Written['deniedFor']> {
  const { encryption: _, kmsKeyId: __, ...unencrypted } = asking.destination;
  const ways = [
    ['tags', Object.keys(asking.destination.tags).length > 0, { ...asking.destination, tags: {} }],
    ['encryption', asking.destination.encryption === 'aws:kms', unencrypted],
  ] as const;
  for (const [reason, isConfigured, without] of ways) {
    if (isConfigured && (await write(asking, sender, key, without)) === undefined) return reason;
  }
  return undefined;
}

async function write(
  asking: Asking,
  sender: S3Sender,
  key: string,
  destination: S3Destination,
): Promise<Failure | undefined> {
  const doing = `writing ${JSON.stringify(key)} to s3://${destination.bucket}`;
  const result = await attempt(asking, doing, async (signal) => {
    const body = bodyOf(content, await sender.wantedSums(false));
    const headers = objectHeaders(destination, { key, contentType: 'text/plain', metadata: {} });
    await sender.put({ key, headers, body, repeatable: true }, signal);
  });
  return result instanceof Failure ? result : undefined;
}
