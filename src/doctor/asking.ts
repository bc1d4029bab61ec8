import type { ListObjectsV2CommandOutput, S3Client } from '@aws-sdk/client-s3';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { toFailure } from '../adapters/s3-failure.ts';
import { notS3 } from '../adapters/s3-find.ts';
import type { S3Destination } from '../config/config.ts';
import { Failure } from '../domain/failure.ts';
import type { Answers } from './answers.ts';
import type { Patient } from './patient.ts';
import { within } from './within.ts';

/** One request that the agent makes too, and how it ended. */
export interface Tried {
  readonly action: 's3:ListBucket' | 's3:GetObject' | 's3:PutObject';
  /** The prefix of a list, else the key. */
  readonly on: string;
  readonly failure?: Failure;
}

export interface Asking {
  readonly visit: Patient;
  readonly destination: S3Destination;
  readonly client: S3Client;
  readonly answers: Answers;
}

export function isDenied({ code }: Failure): boolean {
  return /^(AccessDenied|AccessForbidden|UnauthorizedAccess|HTTP 403)$/.test(code);
}

export function failed(result: unknown): { failure?: Failure } {
  return result instanceof Failure ? { failure: result } : {};
}

const listMax = 100;

export async function tryToList(asking: Asking, on: string): Promise<Tried> {
  return { action: 's3:ListBucket', on, ...failed(await list(asking, on)) };
}

export async function list(asking: Asking, prefix: string): Promise<ListObjectsV2CommandOutput | Failure> {
  const {
    client,
    destination: { bucket: Bucket },
    visit: { isBrief },
  } = asking;
  const doing = `listing ${JSON.stringify(prefix)} in s3://${Bucket}`;
  const MaxKeys = isBrief ? 1 : listMax;
  const parameters = { Bucket, Prefix: prefix, MaxKeys, EncodingType: 'url' as const };
  return await attempt(asking, doing, async (abortSignal) => {
    const answer = await client.send(new ListObjectsV2Command(parameters), { abortSignal });
    if (answer.Name === undefined) throw notS3(`${doing}: the answer is no list of a bucket`);
    return answer;
  });
}

export async function tryToRead(asking: Asking, key: string | undefined): Promise<Tried[]> {
  if (key === undefined) return [];
  const {
    client,
    destination: { bucket: Bucket },
  } = asking;
  const doing = `reading a byte of ${JSON.stringify(key)} in s3://${Bucket}`;
  const read = await attempt(asking, doing, async (abortSignal) => {
    const command = new GetObjectCommand({ Bucket, Key: key, Range: 'bytes=0-0' });
    const { Body } = await client.send(command, { abortSignal });
    // A server that knows no ranges would send all of it.
    if (Body !== undefined && 'destroy' in Body) Body.destroy();
  });
  return [{ action: 's3:GetObject', on: key, ...failed(read) }];
}

/** What it gives, or why not, within the time of one request. */
export async function attempt<T>(
  { visit: { clock, limits } }: Pick<Asking, 'visit'>,
  doing: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | Failure> {
  const never = new AbortController().signal;
  const late = toFailure(
    Object.assign(new Error(`no answer within ${limits.requestMs / 1000} s`), { code: 'TimeoutError' }),
    doing,
    never,
  );
  try {
    return await within(clock, limits.requestMs, late, work);
  } catch (error) {
    return toFailure(error, doing, never);
  }
}
