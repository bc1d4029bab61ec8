import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { checkedLog } from '../support/bucket-log.ts';
import { removeBucket } from '../support/bucket-uploads.ts';
import { eventually } from '../support/eventually.ts';
import { describeS3, makeBucket } from '../support/s3.ts';
import { type Cleanup, makeHost, start, toBucket } from '../support/trainlogd.ts';
import type { Fault } from './fault.ts';
import { startFaultProxy } from './fault-proxy.ts';

interface Case {
  readonly name: string;
  /** What the write of the correction meets. */
  readonly fault?: Fault;
  /** kill -9 at the reopening, or when the correction has met its fault. */
  readonly killed?: 'reopened' | 'correcting';
}

const cases: readonly Case[] = [
  { name: 'it is killed at the reopening', killed: 'reopened' },
  { name: 'the answer to the correction is lost', fault: { do: 'reset', at: 'applied' } },
  {
    name: 'it is killed between the correction and its answer',
    fault: { do: 'stall', at: 'applied' },
    killed: 'correcting',
  },
];
/** They start together, on as few cores as there are. */
const patienceMs = 60_000;
const logKey = /^training-logs\/\d{4}\//;

describeS3('a session that was taken for stalled and goes on is running in the bucket at once', () => {
  test.concurrent.for(cases)(
    'when $name',
    { timeout: 4 * patienceMs },
    async ({ name, fault, killed }, context) => {
      // Ceph keeps conditions on buckets without versions only: with versions a kill costs a minute's look again.
      const bucket = await makeBucket({ versioned: false });
      context.onTestFinished(() => removeBucket(bucket));
      const proxy = await startFaultProxy({ upstream: bucket.endpoint, seed: 1 });
      context.onTestFinished(() => proxy.close());
      const host = await makeHost(context, toBucket({ ...bucket, endpoint: proxy.endpoint }), {
        TRAINLOGD_WATCH_SETTLE: '50ms',
        TRAINLOGD_WATCH_RESCAN: '1s',
        TRAINLOGD_WATCH_IDLE: '3s',
      });
      const session = join(host.folder, 'run');
      await mkdir(session);
      await writeFile(join(session, 'session.json'), '{}');
      await writeFile(join(session, 'stdout.log'), 'epoch 1\n');
      const first = start(context, host);
      await first.event('session.shipped', ({ status }) => status === 'stalled', patienceMs);

      if (fault) proxy.add({ name, on: { operation: 'PutObject', key: logKey, times: 1 }, fault });
      const training = keepWriting(context, join(session, 'stdout.log'));
      await first.event('session.reopened', undefined, patienceMs);
      if (killed === 'correcting')
        await eventually(() => proxy.happenings.length > 0, { timeoutMs: patienceMs });
      if (killed) await first.stop('SIGKILL');
      proxy.liftAll();
      const daemon = killed ? start(context, host) : first;
      const running = await eventually(
        async () => {
          const { log } = await checkedLog(bucket);
          return log.session.status === 'running' ? log : undefined;
        },
        { timeoutMs: patienceMs },
      );
      expect(running.session.revision).toBe(3);
      expect(running).toMatchObject({
        companions: [{ path: 'stdout.log' }],
        missing: [{ path: 'stdout.log', reason: 'pending' }],
      });

      await training.end();
      await writeFile(join(session, 'result.json'), '{"status":"completed"}');
      await daemon.event('session.shipped', ({ status }) => status === 'completed', patienceMs);
      const { code, stderr } = await daemon.stop();
      expect(code, stderr).toBe(0);
      // One that names the file as pending, and the final one: the correction was written once.
      const { log } = await checkedLog(bucket);
      expect(log).toMatchObject({
        session: { status: 'completed', revision: 5 },
        companions: [{ path: 'stdout.log' }],
        missing: [],
      });
    },
  );
});

/** A line a moment, until it is told to end. */
function keepWriting(context: Cleanup, file: string): { end(): Promise<void> } {
  const stop = new AbortController();
  const write = async () => {
    while (!stop.signal.aborted) {
      await appendFile(file, 'more\n');
      await pause(100); // reason: this is the training's pace, nothing is waited for
    }
  };
  const written = write();
  const end = () => {
    stop.abort();
    return written;
  };
  context.onTestFinished(end);
  return { end };
}
