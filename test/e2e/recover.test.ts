import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkedLog } from '../support/bucket-log.ts';
import { GrowingFile, growing, mebibyte, partBytes, untilRecorded } from '../support/growing-file.ts';
import { describeS3, makeBucket, type TestBucket } from '../support/s3.ts';
import { requestsTo } from '../support/s3-requests.ts';
import { type Cleanup, type Host, makeHost, run, start, toBucket } from '../support/trainlogd.ts';

/** So long after the host was last heard of that it counts as lost. */
const later = {
  NODE_OPTIONS: `--import ${join(import.meta.dirname, '..', 'support', 'eleven-minutes-later.ts')}`,
};

interface Lost {
  readonly bucket: TestBucket;
  readonly file: GrowingFile;
  readonly parts: number;
  readonly id: string;
  /** Another one, with nothing but the restricted user's keys. */
  readonly elsewhere: Host;
}

/** A session in the middle of which its host went away with its disks. */
async function lostHost(context: Cleanup): Promise<Lost> {
  const bucket = await makeBucket();
  const host = await makeHost(context, toBucket(bucket), growing);
  const file = new GrowingFile(join(host.folder, 'run', 'events.bin'));
  await file.append(12 * mebibyte);
  await writeFile(join(host.folder, 'run', 'stdout.log'), 'epoch 1\n');
  await writeFile(join(host.folder, 'run', 'session.json'), '{}');
  const daemon = start(context, host);
  await untilRecorded(bucket, 2);
  await file.append(6 * mebibyte);
  const parts = await untilRecorded(bucket, 3);
  await daemon.stop('SIGKILL');
  await rm(host.base, { recursive: true });
  const { id } = (await checkedLog(bucket)).log.session;
  return { bucket, file, parts, id, elsewhere: await makeHost(context, toBucket(bucket)) };
}

describeS3('trainlogd recover', () => {
  test('completes what a lost host had sent, on any host, with the least rights', async (context) => {
    const { bucket, file, parts, id, elsewhere } = await lostHost(context);
    const early = await run(context, elsewhere, ['recover', id]);
    expect(early.code, early.stderr).toBe(75);
    expect(early.stdout).toMatch(
      /its host wrote to the bucket at 20\S+Z, .* may be alive: nothing was done; should it be lost, run this again after 20/,
    );

    const ended = await run(context, elsewhere, ['recover', id, '--json'], later);
    expect(ended.code, ended.stderr).toBe(0);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      session: id,
      outcome: 'recovered',
      status: 'interrupted',
      files: [{ path: 'events.bin', outcome: 'completed', bytes: parts * partBytes }],
    });
    const { log, bytesOf } = await checkedLog(bucket);
    expect(log.session).toMatchObject({ status: 'interrupted', sealedBy: 'trainlogd recover' });
    expect(log.companions).toMatchObject([
      { path: 'events.bin', bytes: parts * partBytes, truncated: true },
      { path: 'stdout.log', bytes: 8 },
    ]);
    expect(log.missing).toMatchObject([
      { path: 'events.bin', reason: 'vanished' },
      { path: '.', reason: 'vanished' },
    ]);
    const found = await bytesOf('events.bin');
    expect(found.equals(file.bytes.subarray(0, parts * partBytes))).toBe(true);

    const again = await run(context, elsewhere, ['recover', id], later);
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout).toContain(
      'it is interrupted, and no file of it is left to complete: nothing was done',
    );
    const denied = (await requestsTo(bucket)).filter(({ status }) => status === 403);
    expect(denied).toEqual([]);
  }, 60_000);

  test('says what it cannot do', async (context) => {
    const bucket = await makeBucket();
    const host = await makeHost(context, toBucket(bucket));
    const unknown = await run(context, host, ['recover', 'nobody']);
    expect(unknown.code, unknown.stderr).toBe(75);
    expect(unknown.stdout).toContain('session "nobody": there is no log of it in the last five years');
    const illegal = await run(context, host, ['recover', 'a/b']);
    expect(illegal.code).toBe(64);
    expect(illegal.stderr).toContain('An id has letters');
    const nowhere = { AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9' };
    const unreachable = await run(context, host, ['recover', 'nobody'], nowhere);
    expect(unreachable.code, unreachable.stderr).toBe(69);
    expect(unreachable.stderr).toContain('looking for "training-logs/');
    const elsewhere = { TRAINLOGD_DESTINATION_KEY_TEMPLATE: 'other-logs/{year}/{month}/{session-id}.log' };
    const denied = await run(context, host, ['recover', 'nobody'], elsewhere);
    expect(denied.code, denied.stderr).toBe(77);
    expect(denied.stderr).toMatch(/looking for "other-logs\/.*AccessDenied.*: check the policy/s);
    const stranger = await run(context, host, ['recover', 'nobody'], { AWS_SECRET_ACCESS_KEY: 'wrong' });
    expect(stranger.code, stranger.stderr).toBe(77);
    expect(stranger.stderr).toContain('check AWS_SECRET_ACCESS_KEY');
  }, 60_000);
});
