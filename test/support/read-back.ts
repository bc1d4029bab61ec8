import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, onTestFinished } from 'vitest';
import { type SessionLog, sessionLogSchema } from '../../src/domain/session-log.ts';
import { type Ended, makePlace, objectBytes, objectKeys, type Place, runAgent } from './agent.ts';
import { patternBytes } from './byte-source.ts';
import { write } from './hostile.ts';
import { makeBucket, type TestBucket } from './s3.ts';

/** A destination with sessions in it, and the hands of its owner. */
export interface Shelf {
  readonly place: Place;
  readonly env: Readonly<Record<string, string | undefined>>;
  run(args: readonly string[], more?: Readonly<Record<string, string | undefined>>): Promise<Ended>;
  put(key: string, bytes: Buffer | string): Promise<void>;
  remove(key: string): Promise<void>;
  bytes(key: string): Promise<Buffer>;
  keys(): Promise<string[]>;
}

export interface BucketShelf extends Shelf {
  readonly bucket: TestBucket;
}

export const largeBytes = 12 * 1024 * 1024 + 345;

/** One that ended with a curve, a file in parts and one that is packed; one that fell silent; both with generated ids. */
export async function writeSessions(place: Place): Promise<void> {
  const rows = Array.from(
    { length: 300 },
    (_, step) => `${2 / (1 + step / 30)},${Math.floor(step / 100)},${step}`,
  );
  await write(place, 'curve/metrics.csv', `train_loss,epoch,step\n${rows.join('\n')}\n`);
  await write(place, 'curve/hparams.yaml', 'lr: 0.001\nbatch_size: 32\n');
  await write(place, 'curve/checkpoint.bin', 'left out');
  await write(place, 'curve/large.npz', patternBytes(largeBytes));
  await write(place, 'curve/deep/er/note.txt', 'note');
  const session = {
    startedAt: '2026-03-04T05:06:07Z',
    user: { username: 'ada' },
    pod: { gpuType: 'H100', gpuCount: 8, costPerHour: 24, currency: 'USD' },
  };
  await write(place, 'curve/session.json', JSON.stringify(session));
  await write(place, 'curve/result.json', '{"status":"completed","endedAt":"2026-03-04T06:36:07Z"}');
  await write(place, 'quiet/session.json', '{"startedAt":"2026-03-05T00:00:00Z"}');
  await write(place, 'quiet/train.log', 'epoch 1\n');
}

export async function directoryShelf(): Promise<Shelf> {
  const place = await makePlace();
  const at = (key: string) => join(place.destination, key);
  return shelfOf(
    place,
    {},
    {
      put: async (key, bytes) => {
        // As a new object: one that was opened before keeps its bytes.
        rmSync(at(key), { force: true });
        writeFileSync(at(key), bytes);
      },
      remove: async (key) => rmSync(at(key)),
      bytes: async (key) => objectBytes(place, key),
      keys: async () => objectKeys(place),
    },
  );
}

export async function bucketShelf(): Promise<BucketShelf> {
  const place = await makePlace();
  const made = await makeBucket();
  const { bucket, endpoint, region, uploader, owner, versions, bytes } = made;
  onTestFinished(() => owner.destroy());
  const env = {
    TRAINLOGD_DESTINATION_URL: undefined,
    S3_BUCKET_NAME: bucket,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: uploader.accessKeyId,
    AWS_SECRET_ACCESS_KEY: uploader.secretAccessKey,
  };
  const shelf = shelfOf(place, env, {
    put: async (key, body) =>
      void (await owner.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }))),
    remove: async (key) => void (await owner.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))),
    bytes: (key) => bytes(key),
    keys: async () => [...new Set((await versions()).map(({ key }) => key))],
  });
  return { ...shelf, bucket: made };
}

type Owner = Pick<Shelf, 'put' | 'remove' | 'bytes' | 'keys'>;

function shelfOf(place: Place, destination: Shelf['env'], owner: Owner): Shelf {
  const env = {
    TRAINLOGD_UPLOAD_PART_SIZE: '5MiB',
    TRAINLOGD_COMPANIONS_COMPRESSION: 'gzip',
    TRAINLOGD_BUCKET_EXPIRE_AFTER: 'never',
    ...destination,
  };
  return { place, env, ...owner, run: (args, more) => runAgent(place, args, { env: { ...env, ...more } }) };
}

export async function shipAll({ run }: Shelf): Promise<void> {
  const ended = await run(['drain', '--timeout', '60s']);
  expect(ended.exit, ended.stderr).toBe(0);
}

/** Lines of JSON. */
export function jsonLines(stdout: string): Record<string, unknown>[] {
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

export async function logOf(shelf: Shelf, name: string): Promise<{ key: string; log: SessionLog }> {
  for (const key of await shelf.keys()) {
    if (!/^training-logs\/\d{4}\//.test(key)) continue;
    const log = sessionLogSchema.parse(JSON.parse((await shelf.bytes(key)).toString()));
    if (log.session.name === name) return { key, log };
  }
  throw new Error(`there is no log of the session ${name}`);
}

export function forgetJournal({ place }: Shelf): void {
  if (existsSync(place.state)) rmSync(place.state, { recursive: true });
}
