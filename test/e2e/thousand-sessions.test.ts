import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { checkBucket, readAll, type ShippedLog } from '../support/bucket-check.ts';
import { eventually } from '../support/eventually.ts';
import { describeS3, makeBucket, type TestBucket } from '../support/s3.ts';
import { requestsTo, serverLog } from '../support/s3-requests.ts';
import { seededRandom, seedOf } from '../support/seeded-random.ts';
import { openSessionTable } from '../support/session-queries.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { planSession, type TrainedSession, train } from '../support/trainer.ts';
import { type Cleanup, makeHost, start, statusOf, toBucket } from '../support/trainlogd.ts';

const count = 1000;
/** Sessions whose first file lies there half-written while the others come and go. */
const slowCount = 40;
const random = seededRandom(seedOf(process.env));

describeS3(`a thousand sessions dropped while trainlogd runs (seed ${random.seed})`, () => {
  test('each is in the bucket, whole and once, and nothing was asked that the policy denies', async (context) => {
    const bucket = await makeBucket();
    const host = await makeHost(context, toBucket(bucket));
    const sessions = Array.from({ length: count }, (_, number) => planSession(random, host.folder, number));
    const slow = sessions.slice(0, slowCount);
    const daemon = start(context, host);
    await daemon.event('daemon.started');

    await train(
      random,
      slow.map((session) => ({ ...session, steps: session.steps.slice(0, 1) })),
      slowCount,
    );
    await train(random, random.shuffled(sessions.slice(slowCount)), 60);
    await daemon.event('session.shipped', () => true, 60_000);
    await train(
      random,
      slow.map((session) => ({ ...session, steps: session.steps.slice(1) })),
      slowCount,
    );
    const shipped = () => new Set(daemon.events('session.shipped').map(({ session }) => session));
    await eventually(() => shipped().size === count, { timeoutMs: 300_000, everyMs: 250 });

    const status = await statusOf(context, host);
    expect(status).toMatchObject({ running: true, pid: daemon.pid, loose: [] });
    expect(status.backlog).toMatchObject({ open: 0, shipping: 0, shipped: count, unsent: [], parked: [] });
    const { code, stderr } = await daemon.stop();
    expect(code, stderr.slice(-2000)).toBe(0);
    const { problems, logs } = await checkBucket(bucket, sessions);
    expect(problems).toEqual([]);
    expect(logs).toHaveLength(count);
    await expectOneTable(context, bucket, logs, sessions);
    if (serverLog !== undefined) await expectNothingDenied(bucket);
  }, 400_000);
});

/** The logs as they lie in the bucket, copied to a directory, under the queries that users are given. */
async function expectOneTable(
  context: Cleanup,
  bucket: TestBucket,
  logs: readonly ShippedLog[],
  sessions: readonly TrainedSession[],
): Promise<void> {
  const directory = await temporaryDirectory();
  const objects = await readAll(
    bucket,
    logs.map(({ key }) => key),
  );
  for (const [key, bytes] of objects) {
    await mkdir(dirname(join(directory, key)), { recursive: true });
    await writeFile(join(directory, key), bytes);
  }
  const table = await openSessionTable(context, directory);
  const costs = await table.query('cost-per-user-and-month.sql');
  expect(costs.reduce((sum, row) => sum + Number(row['sessions']), 0)).toBe(count);
  const failed = await table.query('failed-runs.sql');
  const isFailed = ({ status }: TrainedSession) => status === 'failed';
  expect(failed).toHaveLength(Math.min(500, sessions.filter(isFailed).length));
  expect(await table.query('missing-files.sql')).toEqual([]);
  expect(await table.query('slowest-gpus.sql')).toEqual([]);
}

/**
 * 412 is the answer to a condition: Ceph gives it to an If-Match that is right on a bucket with versions, once, after
 * which it is asked no more. Nothing else may be refused: no 403 (denied), 404, 405, 411, 501 (unknown there).
 */
async function expectNothingDenied(bucket: TestBucket): Promise<void> {
  const requests = (await requestsTo(bucket)).filter(({ user }) => user !== 's3owner');
  expect(new Set(requests.map(({ user }) => user))).toEqual(new Set(['s3uploader']));
  expect(requests.length).toBeGreaterThan(4 * count);
  const refused = requests.filter(({ status }) => status >= 400);
  expect(refused.filter(({ method, status }) => method !== 'PUT' || status !== 412)).toEqual([]);
  // As many as may be under way before the first of them is answered.
  expect(refused.length).toBeLessThanOrEqual(4);
}
