import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readResumeRecord } from '../../src/domain/resume-record.ts';
import { checkedLog } from '../support/bucket-log.ts';
import {
  GrowingFile,
  growing,
  mebibyte,
  partBytes,
  partsSent,
  untilRecorded,
} from '../support/growing-file.ts';
import { describeS3, makeBucket, type TestBucket } from '../support/s3.ts';
import { type Cleanup, type Host, makeHost, start, type Trainlogd, toBucket } from '../support/trainlogd.ts';

interface Running {
  readonly bucket: TestBucket;
  readonly host: Host;
  readonly daemon: Trainlogd;
  readonly file: GrowingFile;
}

/** A session with a file of 12 MiB, two parts of which are in the bucket. Its id is its own: nobody waits for that. */
async function running(context: Cleanup): Promise<Running> {
  const bucket = await makeBucket();
  const host = await makeHost(context, toBucket(bucket), growing);
  const file = new GrowingFile(join(host.folder, 'run', 'events.bin'));
  await file.append(12 * mebibyte);
  await writeFile(join(host.folder, 'run', 'session.json'), '{}');
  const daemon = start(context, host);
  await untilRecorded(bucket, 2);
  return { bucket, host, daemon, file };
}

async function complete({ host, daemon }: Running): Promise<void> {
  await writeFile(join(host.folder, 'run', 'result.json'), '{"status":"completed"}');
  await daemon.event('session.shipped', ({ status }) => status === 'completed', 30_000);
  const { code, stderr } = await daemon.stop();
  expect(code, stderr.slice(-2000)).toBe(0);
}

describeS3('files that grow while their session runs', () => {
  test('travel once, a kill in between: at the end only the tail is left to send', async (context) => {
    const run = await running(context);
    const { bucket, host, file } = run;
    await file.append(4 * mebibyte);
    await untilRecorded(bucket, 3);
    await run.daemon.stop('SIGKILL');
    await file.append(5 * mebibyte);
    const daemon = start(context, host);
    await untilRecorded(bucket, 4);
    await file.append(2 * mebibyte);
    await complete({ ...run, daemon });
    const { log, bytesOf } = await checkedLog(bucket);
    expect(log).toMatchObject({ session: { status: 'completed' }, missing: [] });
    expect(log.companions).toMatchObject([{ path: 'events.bin', bytes: file.bytes.length }]);
    expect((await bytesOf('events.bin')).equals(file.bytes)).toBe(true);
    expect((await partsSent(bucket)) * partBytes).toBeLessThanOrEqual(file.bytes.length + partBytes);
    expect(await versionsOf(bucket, '/events.bin')).toBe(1);
  }, 60_000);

  test('start over when their beginning changes, and arrive as they are', async (context) => {
    const run = await running(context);
    const { bucket, file, daemon } = run;
    await file.rewrite(17 * mebibyte);
    await daemon.event('upload.restarted', () => true, 30_000);
    await complete(run);
    const { log, bytesOf } = await checkedLog(bucket);
    expect(log).toMatchObject({ companions: [{ bytes: file.bytes.length }], missing: [] });
    expect((await bytesOf('events.bin')).equals(file.bytes)).toBe(true);
    expect(await versionsOf(bucket, '/events.bin')).toBe(1);
    expect(await partsNamed(bucket)).toContain(0);
  }, 60_000);
});

/** By every version of the file's resume record; 0: what was sent was given up. */
async function partsNamed(bucket: TestBucket): Promise<(number | undefined)[]> {
  const versions = await bucket.versions('training-logs/companions/');
  const records = versions.filter(({ key }) => key.includes('/.resume/'));
  const texts = await Promise.all(records.map(({ key, versionId }) => bucket.bytes(key, versionId)));
  return texts.map((text) => readResumeRecord(text.toString())?.parts.length);
}

async function versionsOf(bucket: TestBucket, end: string): Promise<number> {
  return (await bucket.versions()).filter(({ key }) => key.endsWith(end)).length;
}
