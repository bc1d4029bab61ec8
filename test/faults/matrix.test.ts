import { expect, test, vi } from 'vitest';
import type { Status } from '../../src/ports/status.ts';
import { type AgentRun, type Place, runAgent, startAgent } from '../support/agent.ts';
import { removeBucket } from '../support/bucket-uploads.ts';
import { eventually } from '../support/eventually.ts';
import { describeS3, makeBucket } from '../support/s3.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { auditBucket } from '../torture/audit.ts';
import { Training } from '../torture/training.ts';
import { makeFaultPlace } from './fault-place.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { type FaultCase, faultTable } from './fault-table.ts';

// A connection that is silent is given up after a minute; nobody wants to wait for that here. A busy machine answers
// within this all the same: what it is too slow for is tried for ever.
vi.mock(import('../../src/adapters/s3-store.ts'), async (original) => {
  const real = await original();
  return { ...real, createS3Store: (options) => real.createS3Store({ ...options, requestTimeoutMs: 2000 }) };
});

// They mostly wait, each for its own server's silence.
vi.setConfig({ maxConcurrency: 10 });

/** `TRAINLOGD_TEST_FAULTS=full`: each fault three times a request, and not once. */
const times = process.env['TRAINLOGD_TEST_FAULTS'] === 'full' ? 3 : 1;
const kinds = ['small', 'large', 'growing'] as const;
/** Enough for a second part. */
const extraBytesMax = 64 * 1024;
const seed = 20_260_101;

describeS3('every fault, on every kind of request, of a small, a large and a growing file', () => {
  test.concurrent.for(faultTable)('$name', { timeout: 240_000 }, async (faultCase, context) => {
    const bucket = await makeBucket();
    context.onTestFinished(() => removeBucket(bucket));
    const proxy = await startFaultProxy({ upstream: bucket.endpoint, seed });
    context.onTestFinished(() => proxy.close());
    const place = await makeFaultPlace(context, { ...bucket, endpoint: proxy.endpoint });
    putInForce(proxy, faultCase);

    const random = seededRandom(seed);
    const trainings = kinds.map(
      (kind, number) => new Training(random, place.folder, number, kind, extraBytesMax),
    );
    const agent = startAgent(place, ['run']);
    await Promise.all(trainings.map((training) => write(training, faultCase, proxy)));
    const status = await settled(place, trainings.length, agent);
    agent.signal('SIGTERM');
    const { exit, stderr } = await agent.ended;

    expect(proxy.happenings.length, 'the fault came about').toBeGreaterThan(0);
    const { problems } = await auditBucket(bucket, place.folder, trainings);
    const { parked } = status.backlog;
    for (const { cause, remedy } of parked) expect([cause, remedy]).not.toContain('');
    if (!faultCase.mayPark) expect(parked).toEqual([]);
    const unexpected = problems.filter((problem) => !isExplained(problem, trainings, status.backlog));
    expect(unexpected, stderr.slice(-3000)).toEqual([]);
    expect(exit).toBe(parked.length > 0 ? 75 : 0);
  });
});

/** For each kind of session and of request one rule of its own: each meets the fault, whatever the others do. */
function putInForce(proxy: FaultProxy, { name, fault, operations }: FaultCase): void {
  for (const kind of kinds) {
    for (const operation of operations) {
      const on = { operation, key: new RegExp(`/${kind}-`), times };
      proxy.add({ name: `${name}: ${operation} of ${kind}`, on, fault });
    }
  }
}

/** The growing one goes on only when parts of it are on their way. */
async function write(training: Training, { mayPark }: FaultCase, proxy: FaultProxy): Promise<void> {
  while (!training.isOver) {
    await training.step();
    if (training.isResting && training.kind === 'growing' && !mayPark) {
      await eventually(() => proxy.traffic.parts(/growing-/).size > 0, { timeoutMs: 60_000 });
    }
  }
}

/** What waits for a person is not there, and said to be so; nothing that is there may be wrong. */
function isExplained(
  problem: string,
  trainings: readonly Training[],
  { parked }: Status['backlog'],
): boolean {
  const { path = '' } = trainings.find((training) => problem.includes(training.path)) ?? {};
  const ofSession = parked.filter(({ session }) => path !== '' && session.startsWith(path));
  if (ofSession.some((item) => item.path === path) && isOfOlderLog.test(problem)) return true;
  return ofSession.length > 0 && /has no log|misses .*: (parked|pending)|does not list/.test(problem);
}

/** A parked log leaves the one before it, of the session as it went on. */
const isOfOlderLog = /is running, not|does not hold|is listed by no log/;

/** All is shipped, or what is not waits for a person: a log too, which alone says of a parked file that it misses it. */
async function settled(place: Place, count: number, agent: AgentRun): Promise<Status> {
  return eventually(
    async () => {
      const { stdout } = await runAgent(place, ['status', '--json']);
      const status = JSON.parse(stdout) as Status;
      const { open, shipping, shipped, parked, unsent } = status.backlog;
      const logs = parked.filter(({ session, path }) => session.startsWith(path));
      // Nothing of a session goes on whose log waits for a person.
      const waiting = new Set(logs.map(({ session }) => session));
      const isLeft = unsent.some(({ session }) => !waiting.has(session));
      if (open + shipping > 0 || isLeft || shipped + waiting.size < count)
        throw new Error(`${stdout}${agent.stderr().slice(-3000)}`);
      return status;
    },
    { timeoutMs: 180_000, everyMs: 100 },
  );
}
