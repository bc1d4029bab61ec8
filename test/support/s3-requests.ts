import { readFileSync } from 'node:fs';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { eventually } from './eventually.ts';
import type { TestBucket } from './s3.ts';

/** The S3 server's own account of what it was asked; undefined where the server is not one of ours. */
export const serverLog = process.env['S3_TEST_ACCESS_LOG'];

export interface ServedRequest {
  readonly user: string;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly status: number;
}

/** All requests to this bucket so far, those that were answered last included. */
export async function requestsTo({ bucket, owner }: TestBucket): Promise<ServedRequest[]> {
  const file = serverLog;
  if (file === undefined) throw new Error('reading the log of the S3 server: S3_TEST_ACCESS_LOG is not set');
  // The log is written in order: once this request is in it, so are those before.
  const mark = `end-of-log-${performance.now()}`;
  await owner.send(new HeadObjectCommand({ Bucket: bucket, Key: mark })).catch(() => {
    // reason: it is not there and need not be
  });
  const text = await eventually(() => {
    const found = readFileSync(file, 'utf8');
    return found.includes(mark) ? found : undefined;
  });
  return requestsIn(text, bucket).filter(({ target }) => !target.includes(mark));
}

/** `… beast: ADDRESS: 127.0.0.1 - USER [TIME] "METHOD TARGET HTTP/1.1" STATUS BYTES …` */
function requestsIn(text: string, bucket: string): ServedRequest[] {
  const line = /beast: \S+ \S+ - (\S+) \[[^\]]*\] "(\S+) (\S+) HTTP\/[\d.]+" (\d+) /;
  return text.split('\n').flatMap((entry) => {
    if (!entry.includes(`/${bucket}`)) return [];
    const [, user = '', method = '', target = '', status = ''] = line.exec(entry) ?? [];
    return target.startsWith(`/${bucket}`) ? [{ user, method, target, status: Number(status) }] : [];
  });
}
