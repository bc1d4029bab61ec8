import { expect, test, vi } from 'vitest';
import { sessionLogSchema } from '../../src/domain/session-log.ts';
import { startAgent } from '../support/agent.ts';
import { removeBucket } from '../support/bucket-uploads.ts';
import { eventually } from '../support/eventually.ts';
import { describeS3, makeBucket } from '../support/s3.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { Training } from '../torture/training.ts';
import { makeFaultPlace } from './fault-place.ts';
import { startFaultProxy } from './fault-proxy.ts';

// Given up long before the proxy passes it on.
vi.mock(import('../../src/adapters/s3-store.ts'), async (original) => {
  const real = await original();
  return { ...real, createS3Store: (options) => real.createS3Store({ ...options, requestTimeoutMs: 500 }) };
});

describeS3('requests that reach the server long after they were given up', () => {
  // Ceph keeps conditions on buckets without versions only; with versions a late write is found and put right.
  test.concurrent.for([
    { versioned: false, keeps: 'the server keeps its condition' },
    { versioned: true, keeps: 'the log is looked at once more' },
  ])(
    'a write that another one followed does not win: $keeps',
    { timeout: 120_000 },
    async ({ versioned }, context) => {
      const bucket = await makeBucket({ versioned });
      context.onTestFinished(() => removeBucket(bucket));
      const proxy = await startFaultProxy({ upstream: bucket.endpoint, seed: 1 });
      context.onTestFinished(() => proxy.close());
      const place = await makeFaultPlace(context, { ...bucket, endpoint: proxy.endpoint });
      const late = { do: 'late', ms: 2_500 } as const;
      const lateOnce = (name: string, key: RegExp) =>
        proxy.add({ name, on: { operation: 'PutObject', key, times: 1 }, fault: late });
      lateOnce('first log', /\/\d\d\/small-[^/]*\.log$/);
      lateOnce('companion', /\/companions\/.*\/stdout\.log$/);
      const training = new Training(seededRandom(4), place.folder, 0, 'small');
      while (!training.isOver) await training.step();
      const agent = startAgent(place, ['run']);
      await eventually(() => agent.told().some(({ event }) => event === 'session.shipped'), {
        timeoutMs: 60_000,
      });
      const answered = () => Object.values(proxy.traffic.operations().PutObject?.answers ?? {});
      const puts = () => proxy.traffic.operations().PutObject?.requests ?? 0;
      await eventually(() => answered().reduce((sum, count) => sum + count, 0) === puts());
      agent.signal('SIGTERM');
      const { exit, stderr } = await agent.ended;
      expect(exit, stderr.slice(-3000)).toBe(0);
      expect(proxy.happenings.map(({ rule }) => rule).sort()).toEqual(['companion', 'first log']);
      const versions = await bucket.versions();
      const key =
        versions.map((version) => version.key).find((name) => /\d\/small-[^/]*\.log$/.test(name)) ?? '';
      const log = sessionLogSchema.parse(JSON.parse((await bucket.bytes(key)).toString('utf8')));
      expect(log).toMatchObject({ missing: [], session: { status: training.status } });
      expect(log.companions.map(({ path }) => path).sort()).toEqual([...training.companions.keys()].sort());
    },
  );
});
