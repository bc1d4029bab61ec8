import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { countParts, type UnfinishedUpload, unfinishedUploads } from '../support/bucket-uploads.ts';
import { eventually } from '../support/eventually.ts';
import { describeS3, makeBucket } from '../support/s3.ts';
import type { TestBucket } from '../support/s3-bucket.ts';
import { seededBytes } from '../support/seeded-bytes.ts';
import { type Host, makeHost, start, statusOf, toBucket } from '../support/trainlogd.ts';

const mebibyte = 1024 * 1024;
const parts = 12;
const bytes = seededBytes('resume', parts * 5 * mebibyte - 1);

/** Slow enough to be met in the middle. */
const slow = { TRAINLOGD_UPLOAD_BANDWIDTH_MAX: '8MiB' };

describeS3('a large file whose upload is interrupted', () => {
  test('goes on after kill -9 and after SIGTERM at the next part, in the same upload', async (context) => {
    const bucket = await makeBucket();
    const host = await makeHost(context, toBucket(bucket), {
      TRAINLOGD_WATCH_SETTLE: '100ms',
      TRAINLOGD_UPLOAD_PART_SIZE: '5MiB',
      TRAINLOGD_UPLOAD_PART_CONCURRENCY: '1',
      TRAINLOGD_DRAIN_TIMEOUT: '3s',
    });
    await writeSession(host);

    const killed = start(context, host, ['run'], slow);
    const upload = await uploadWith(bucket, 2);
    await killed.stop('SIGKILL');
    const afterKill = await countParts(bucket, upload);
    const status = await statusOf(context, host);
    // A part that had arrived when its record had not: one, with one in flight.
    expect(status.parts?.open).toBe(1);
    expect((status.parts?.openBytes ?? 0) / (5 * mebibyte)).toBeGreaterThanOrEqual(afterKill - 1);

    const ended = start(context, host, ['run'], slow);
    await uploadWith(bucket, afterKill + 1);
    expect((await ended.stop('SIGTERM')).code).toBe(75);
    expect(await unfinishedUploads(bucket)).toEqual([upload]);
    expect(await countParts(bucket, upload)).toBeGreaterThan(afterKill);

    const last = start(context, host);
    await last.event('session.shipped', ({ missing }) => missing === 0, 60_000);
    expect((await last.stop()).code).toBe(0);
    const versions = await bucket.versions('training-logs/companions/');
    const [object, ...others] = versions.filter(({ key }) => key.endsWith('/large.bin'));
    expect(others).toEqual([]);
    expect(bytes.equals(await bucket.bytes(object?.key ?? ''))).toBe(true);
    // Nobody may abort here: what is not unfinished any more became the object.
    expect(await unfinishedUploads(bucket)).toEqual([]);
    const lives = [killed, ended, last];
    expect(lives.flatMap((life) => life.events('upload.restarted'))).toEqual([]);
  }, 120_000);
});

async function writeSession({ folder }: Host): Promise<void> {
  const root = join(folder, 'run');
  await mkdir(root);
  await writeFile(join(root, 'session.json'), '{"id":"run"}');
  await writeFile(join(root, 'large.bin'), bytes);
  await writeFile(join(root, 'result.json'), '{"status":"completed"}');
}

/** The only unfinished upload, once it has so many parts. */
async function uploadWith(bucket: TestBucket, partsMin: number): Promise<UnfinishedUpload> {
  return await eventually(
    async () => {
      const [upload, ...others] = await unfinishedUploads(bucket);
      expect(others).toEqual([]);
      return upload && (await countParts(bucket, upload)) >= partsMin ? upload : undefined;
    },
    { timeoutMs: 60_000, everyMs: 100 },
  );
}
