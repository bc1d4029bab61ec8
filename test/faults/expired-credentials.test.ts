import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Status } from '../../src/ports/status.ts';
import { removeBucket } from '../support/bucket-uploads.ts';
import { eventually } from '../support/eventually.ts';
import { describeS3, makeBucket, type TestBucket, type TestCredentials } from '../support/s3.ts';
import { seededBytes } from '../support/seeded-bytes.ts';
import { type Cleanup, type Host, makeHost, start, statusOf, toBucket } from '../support/trainlogd.ts';
import { expiredToken } from './fault.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';

const mebibyte = 1024 * 1024;
/** `TRAINLOGD_TEST_FAULTS=full` takes 1 GiB. */
const sizeBytes = process.env['TRAINLOGD_TEST_FAULTS'] === 'full' ? 1024 * mebibyte : 43 * mebibyte;
const partBytes = 5 * mebibyte;
const partsBefore = 3;
const probesMin = 4;
const key = /events\.bin$/;

describeS3('credentials that expire in the middle of a large upload', () => {
  test('when they are renewed it goes on at the next part, and nothing was held against the file', {
    timeout: 300_000,
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
    const sentBefore = acceptedParts(proxy);
    expect(sentBefore).toBeLessThan(sizeBytes / partBytes - 1);

    await writeKeys(host, bucket.ownerCredentials);
    await daemon.event('session.shipped', ({ missing }) => missing === 0, 120_000);
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
    const found = await bucket.bytes(versions[0]?.key ?? '');
    expect(found.equals(seededBytes('events', sizeBytes))).toBe(true);
  });
});

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
    TRAINLOGD_RETRY_BASE_DELAY: '50ms',
    TRAINLOGD_RETRY_MAX_DELAY: '200ms',
  });
  await writeKeys(host, bucket.uploader);
  const session = join(host.folder, 'run');
  await mkdir(session);
  await writeFile(join(session, 'events.bin'), seededBytes('events', sizeBytes));
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
