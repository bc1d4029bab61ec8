import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Status } from '../../src/ports/status.ts';
import { removeBucket } from '../support/bucket-uploads.ts';
import { eventually } from '../support/eventually.ts';
import { describeS3, makeBucket, type TestBucket, type TestCredentials } from '../support/s3.ts';
import { type Cleanup, type Host, makeHost, start, statusOf, toBucket } from '../support/trainlogd.ts';
import { expiredToken } from './fault.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { appendSeeded, differing } from './seeded-object.ts';

const mebibyte = 1024 * 1024;
const minute = 60_000;
/** `TRAINLOGD_TEST_EXPIRED_MINUTES=60`: they stay expired for so long, with the default pauses between two tries. */
const expiredMinutes = Number(process.env['TRAINLOGD_TEST_EXPIRED_MINUTES'] ?? 0);
/** `TRAINLOGD_TEST_FAULTS=full` takes 1 GiB, and so does whoever has time. */
const isFull = process.env['TRAINLOGD_TEST_FAULTS'] === 'full' || expiredMinutes > 0;
const sizeBytes = isFull ? 1024 * mebibyte : 43 * mebibyte;
/** How often somebody asks what is the matter. */
const askEveryMs = 15_000;
/** Longer than the longest pause between two tries, which is 5 minutes. */
const resumedWithinMs = expiredMinutes > 0 ? 10 * minute : 2 * minute;
const partBytes = 5 * mebibyte;
const partsBefore = 3;
const probesMin = 4;
const key = /events\.bin$/;

describeS3('credentials that expire in the middle of a large upload', () => {
  test('when they are renewed it goes on at the next part, and nothing was held against the file', {
    timeout: (10 + 2 * expiredMinutes) * minute,
  }, async (context) => {
    const { proxy, bucket, host } = await makeScene(context);
    const denied = proxy.add({
      name: 'expired',
      on: {
        is: ({ accessKeyId }) =>
          accessKeyId === bucket.uploader.accessKeyId && acceptedParts(proxy) >= partsBefore,
      },
      fault: { do: 'answer', answer: expiredToken, applied: false },
    });
    const daemon = start(context, host);
    await daemon.event('destination.blocked', ({ code }) => code === 'ExpiredToken', 60_000);
    const status = await eventually(
      async () => {
        const found = await statusOf(context, host);
        return denied.hits >= probesMin && found.blocked ? found : undefined;
      },
      { timeoutMs: 60_000, everyMs: 200 },
    );
    expectReported(status);
    const asked = await whileExpired(() => eventually(() => statusOf(context, host), { timeoutMs: minute }));
    const sentBefore = acceptedParts(proxy);
    expect(sentBefore).toBeLessThan(sizeBytes / partBytes - 1);

    await writeKeys(host, bucket.ownerCredentials);
    await daemon.event('session.shipped', ({ missing }) => missing === 0, resumedWithinMs);
    const { code, stderr } = await daemon.stop();
    expect(code, stderr.slice(-2000)).toBe(0);

    const parts = proxy.traffic.parts(key);
    expect(parts.size).toBe(Math.ceil(sizeBytes / partBytes));
    expect([...parts.values()].map(({ accepted }) => accepted)).toEqual([...parts.values()].map(() => 1));
    const { CreateMultipartUpload, CompleteMultipartUpload } = proxy.traffic.operations();
    expect(CreateMultipartUpload?.answers[200]).toBe(1);
    expect(CompleteMultipartUpload?.answers[200]).toBe(1);
    expect(daemon.events('upload.retry')).toEqual([]);
    const versions = (await bucket.versions()).filter((version) => key.test(version.key));
    expect(versions).toMatchObject([{ sizeBytes }]);
    expect(await differing(bucket, versions[0]?.key ?? '', 'events', sizeBytes)).toEqual([]);
    if (expiredMinutes > 0) {
      process.stderr.write(
        `expired for ${expiredMinutes} minutes after ${sentBefore} of ${parts.size} parts: asked ${asked} times, blocked with the whole backlog each time, ${denied.hits} requests refused, each part accepted once, no attempt spent\n`,
      );
    }
  });
});

/** Asks again and again; the answer must be the same every time. How often it asked. */
async function whileExpired(ask: () => Promise<Status>): Promise<number> {
  const untilMs = performance.now() + expiredMinutes * minute;
  let asked = 0;
  for (let lastMs = 0; performance.now() < untilMs; asked++) {
    const status = await ask();
    expectReported(status);
    const { sinceMs = 0 } = status.blocked ?? {};
    expect(sinceMs).toBeGreaterThan(lastMs);
    lastMs = sinceMs;
    await delay(askEveryMs);
  }
  return asked;
}

const hurry = { TRAINLOGD_RETRY_BASE_DELAY: '50ms', TRAINLOGD_RETRY_MAX_DELAY: '200ms' };

async function makeScene(context: Cleanup): Promise<{ proxy: FaultProxy; bucket: TestBucket; host: Host }> {
  const bucket = await makeBucket();
  const proxy = await startFaultProxy({ upstream: bucket.endpoint, seed: 1 });
  context.onTestFinished(async () => {
    await proxy.close();
    await removeBucket(bucket);
  });
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...destination } = toBucket({
    ...bucket,
    endpoint: proxy.endpoint,
  });
  const host = await makeHost(context, destination, {
    TRAINLOGD_WATCH_SETTLE: '50ms',
    TRAINLOGD_UPLOAD_PART_SIZE: '5MiB',
    TRAINLOGD_UPLOAD_PART_CONCURRENCY: '2',
    ...(expiredMinutes > 0 ? {} : hurry),
  });
  await writeKeys(host, bucket.uploader);
  const session = join(host.folder, 'run');
  await mkdir(session);
  await appendSeeded(join(session, 'events.bin'), 'events', sizeBytes);
  await writeFile(join(session, '_SUCCESS'), '');
  return { proxy, bucket, host };
}

/** The guide's file, beside which the program was started. */
async function writeKeys({ base }: Host, { accessKeyId, secretAccessKey }: TestCredentials): Promise<void> {
  const lines = [`AWS_ACCESS_KEY_ID=${accessKeyId}`, `AWS_SECRET_ACCESS_KEY=${secretAccessKey}`, ''];
  await writeFile(join(base, '.env'), lines.join('\n'));
}

function acceptedParts(proxy: FaultProxy): number {
  return [...proxy.traffic.parts(key).values()].reduce((sum, { accepted }) => sum + accepted, 0);
}

/** Why nothing moves, what to do, and what waits. */
function expectReported({ blocked, backlog }: Status): void {
  expect(blocked?.code).toBe('ExpiredToken');
  expect(blocked?.cause).toContain('ExpiredToken');
  expect(blocked?.remedy).not.toBe('');
  expect(backlog.pendingBytes).toBeGreaterThanOrEqual(sizeBytes);
  expect(backlog.parked).toEqual([]);
  expect(backlog.unsent).toContainEqual(expect.objectContaining({ path: 'events.bin', sizeBytes }));
}
