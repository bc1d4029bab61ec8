import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DeleteObjectsCommand } from '@aws-sdk/client-s3';
import { makeBucket, type TestBucket } from '../../test/support/s3-bucket.ts';
import { acquireS3Server } from '../../test/support/s3-server.ts';
import { type Bench, type Line, type Row, rounded } from '../bench.ts';
import { makeLargeFile, makeSessions } from '../files.ts';
import { type Destination, forCeph, type Job } from '../peers.ts';
import type { SinkReport } from '../sink-process.ts';
import { contest } from './against-peers.ts';

/** A reality check: a server that stores, checks, and is slower than any client. */
export const ceph: Row = {
  name: 'ceph',
  title: 'a real server (Ceph): one file of 128 MiB, and 300 sessions of 3 files of 10 kB, 16 in flight',
  async run(bench) {
    const server = await acquireS3Server(process.env);
    if (!server.available) return { lines: [], notes: [`Not run: ${server.reason}.`] };
    Object.assign(process.env, server.env);
    try {
      return { lines: [...(await large(bench)), ...(await small(bench))] };
    } finally {
      server.release();
    }
  },
};

async function large(bench: Bench): Promise<Line[]> {
  const sizeBytes = (bench.quick ? 16 : 128) * 1024 * 1024;
  const source = bench.directory('large');
  mkdirSync(join(source, 'run-1'));
  const file = join(source, 'run-1', 'events.bin');
  makeLargeFile(file, sizeBytes);
  const rate = (seconds: number) => rounded(sizeBytes / 1e6 / seconds);
  return against(bench, { source, file, parallel: 4 }, 1, 'one file', 'MB/s', rate);
}

async function small(bench: Bench): Promise<Line[]> {
  const count = bench.quick ? 20 : 300;
  const source = bench.directory('sessions');
  makeSessions(source, count, { files: 3, fileBytes: 10_000 });
  const rate = (seconds: number) => rounded((count * 3) / seconds, 0);
  return against(bench, { source, file: undefined, parallel: 16 }, count * 3, 'sessions', 'files/s', rate);
}

/** Each try gets a bucket of its own, which is emptied afterwards: the server keeps its objects in memory. */
async function against(
  bench: Bench,
  job: Omit<Job, 'to'>,
  objectsMin: number,
  what: string,
  column: string,
  rate: (seconds: number) => number,
): Promise<Line[]> {
  let bucket: TestBucket | undefined;
  const empty = async () => {
    if (bucket) await emptyBucket(bucket);
    bucket = await makeBucket({ versioned: false });
  };
  const to = (): Destination => {
    if (!bucket) throw new Error('there is no bucket yet');
    const { endpoint, ownerCredentials } = bucket;
    return { endpoint, authorityFile: undefined, bucket: bucket.bucket, ...ownerCredentials };
  };
  const report = async (): Promise<SinkReport> => {
    const objects = (await bucket?.versions()) ?? [];
    const objectBytes = objects.reduce((sum, object) => sum + object.sizeBytes, 0);
    return {
      requests: {},
      objects: objects.length,
      objectBytes,
      receivedBytes: objectBytes,
      openUploads: 0,
      cpuSeconds: 0,
    };
  };
  const lines = await contest(bench, {
    sink: { reset: empty, report },
    peers: forCeph,
    job,
    to,
    objectsMin,
    bytesMin: 0,
    line: (_, { wallSeconds, cpuSeconds, peakMb }) => ({
      what,
      [column]: rate(wallSeconds),
      s: rounded(wallSeconds, 2),
      'CPU s': rounded(cpuSeconds, 2),
      'peak MB': rounded(peakMb, 0),
    }),
  });
  if (bucket) await emptyBucket(bucket);
  return lines.map(({ requests: _, 'sink CPU s': __, ...line }) => line);
}

async function emptyBucket({ owner, bucket, versions }: TestBucket): Promise<void> {
  const objects = await versions();
  for (let from = 0; from < objects.length; from += 1000) {
    const Objects = objects.slice(from, from + 1000).map(({ key }) => ({ Key: key }));
    await owner.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
  }
}
