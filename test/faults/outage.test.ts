import { expect, test } from 'vitest';
import type { Status } from '../../src/ports/status.ts';
import { runAgent, startAgent } from '../support/agent.ts';
import { removeBucket } from '../support/bucket-uploads.ts';
import { eventually } from '../support/eventually.ts';
import { describeS3, makeBucket } from '../support/s3.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { auditBucket } from '../torture/audit.ts';
import { Training } from '../torture/training.ts';
import { makeFaultPlace } from './fault-place.ts';
import { startFaultProxy } from './fault-proxy.ts';

describeS3('a network that goes away in the middle of an upload', () => {
  test('is reported while it is away, and what was sent before is not sent again', {
    timeout: 120_000,
  }, async (context) => {
    const bucket = await makeBucket();
    context.onTestFinished(() => removeBucket(bucket));
    const proxy = await startFaultProxy({ upstream: bucket.endpoint, seed: 1 });
    context.onTestFinished(() => proxy.close());
    const place = await makeFaultPlace(
      context,
      { ...bucket, endpoint: proxy.endpoint },
      { TRAINLOGD_UPLOAD_PART_CONCURRENCY: '1' },
    );
    let unplugged: Promise<void> | undefined;
    proxy.add({
      name: 'unplugged',
      on: { operation: 'UploadPart', nth: 2 },
      fault: {
        do: 'call',
        at: 'body',
        afterBytes: 1_000_000,
        call: async () => {
          unplugged = proxy.unplug();
        },
      },
    });
    const training = new Training(seededRandom(1), place.folder, 0, 'large');
    while (!training.isOver) await training.step();
    const agent = startAgent(place, ['run']);
    const status = await eventually(
      async () => {
        const { stdout } = await runAgent(place, ['status', '--json']);
        const found = JSON.parse(stdout) as Status;
        return unplugged && found.blocked ? found : undefined;
      },
      { timeoutMs: 30_000 },
    );
    expect(status.blocked).toMatchObject({
      code: 'ECONNREFUSED',
      remedy: expect.stringContaining('network'),
    });
    expect(status.backlog.unsent.map(({ path }) => path)).toContain('events.bin');
    await unplugged;
    await proxy.plug();
    await eventually(() => agent.told().some(({ event }) => event === 'session.shipped'), {
      timeoutMs: 60_000,
    });
    agent.signal('SIGTERM');
    const { exit, stderr } = await agent.ended;
    expect(exit, stderr.slice(-2000)).toBe(0);
    const { problems } = await auditBucket(bucket, place.folder, [training]);
    expect(problems).toEqual([]);
    const parts = proxy.traffic.parts(/events\.bin$/);
    expect([...parts].map(([number, { requests }]) => [number, requests])).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });
});
