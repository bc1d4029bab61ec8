import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { leaseSchema } from '../../src/domain/lease.ts';
import { checkBucket } from '../support/bucket-check.ts';
import { unfinishedUploads } from '../support/bucket-uploads.ts';
import { eventually } from '../support/eventually.ts';
import { makeNamespacedHost, whyNoNamespaces } from '../support/namespaced-host.ts';
import { inPod, stopPod } from '../support/pod.ts';
import { describeS3, makeBucket, type TestBucket } from '../support/s3.ts';
import { requestsTo, serverLog } from '../support/s3-requests.ts';
import { seededRandom, seedOf } from '../support/seeded-random.ts';
import { planSession, type TrainedSession, train } from '../support/trainer.ts';
import { start, unsentLines } from '../support/trainlogd.ts';

const random = seededRandom(seedOf(process.env));
const timeoutMs = 60_000;
const mebibyte = 1024 * 1024;
const inAHurry = {
  TRAINLOGD_WATCH_SETTLE: '200ms',
  TRAINLOGD_WATCH_RESCAN: '500ms',
  TRAINLOGD_DRAIN_TIMEOUT: '1s',
};
/** Names of people's choosing make a host wait to see whether the id is its own; these tests are not about that. */
const wish = { end: '_SUCCESS' } as const;

/** The lease that counts of each session that has one, as `session host state`. */
function leasesIn(folder: string): string[] {
  const all = join(folder, '.trainlogd');
  return readdirSync(all).flatMap((session) => {
    const numbers = readdirSync(join(all, session)).flatMap((name) => /^lease\.(\d+)$/.exec(name)?.[1] ?? []);
    expect(numbers.length).toBeLessThanOrEqual(3);
    const highest = Math.max(...numbers.map(Number));
    const { host, state } = leaseSchema.parse(
      JSON.parse(readFileSync(join(all, session, `lease.${highest}`), 'utf8')),
    );
    return `${session} ${host} ${state}`;
  });
}

/** With one file more, large enough to be held up on its way. */
function withLargeFile(session: TrainedSession, folder: string, sizeBytes = 6 * mebibyte): TrainedSession {
  const bytes = randomBytes(sizeBytes);
  const directory = join(folder, session.path);
  const write = async () => {
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'large.log'), bytes);
  };
  return {
    ...session,
    files: new Map([...session.files, ['large.log', bytes]]),
    companions: new Map([...session.companions, ['large.log', bytes]]),
    steps: [write, ...session.steps],
  };
}

/** The numbers of all parts that the server took, from whomever. */
async function partsTaken(bucket: TestBucket): Promise<string[]> {
  const taken = (await requestsTo(bucket)).filter(({ method, status }) => method === 'PUT' && status === 200);
  return taken.flatMap(({ target }) => /[?&]partNumber=(\d+)/.exec(target)?.[1] ?? []);
}

describeS3.concurrent(`two hosts on one folder (seed ${random.seed})`, () => {
  test(
    'a host that is stopped in the middle of a file and past its lease loses its sessions, and sends nothing of them',
    async (context) => {
      const reason = whyNoNamespaces();
      if (reason !== undefined) context.skip(reason);
      const bucket = await makeBucket();
      const hostA = await makeNamespacedHost(context, 'gpu-a', bucket, inAHurry);
      const hostB = await makeNamespacedHost(context, 'gpu-b', bucket, inAHurry, hostA);
      const { folder } = hostA;
      const sessions = [0, 1, 2].map((n) => planSession(random, folder, n, { ...wish, path: `run-${n}` }));
      const large = withLargeFile(planSession(random, folder, 3, { ...wish, path: 'run-3' }), folder);

      const a = start(context, hostA, []);
      await a.event('daemon.started');
      const stuck = hostA.hold(1024 * 1024);
      await train(random, [large], 1);
      await stuck.held;
      const b = start(context, hostB, []);
      await b.event('lease.held', ({ session, host }) => session === 'run-3' && host === 'gpu-a');
      a.signal('SIGSTOP');
      stuck.cut();
      await train(random, sessions, 2);

      await b.event('lease.taken', ({ session, from }) => session === 'run-3' && from === 'gpu-a');
      await eventually(() => new Set(b.events('session.shipped').map(({ key }) => key)).size === 4, {
        timeoutMs: 40_000,
        everyMs: 50,
      });
      const shipped = await bucket.versions();
      a.signal('SIGCONT');
      await a.event('lease.lost', ({ session, host }) => session === 'run-3' && host === 'gpu-b');
      const [endA, endB] = await Promise.all([a.stop(), b.stop()]);
      expect([endA.code, endB.code], endA.stderr.slice(-2000)).toEqual([0, 0]);

      expect(await bucket.versions()).toEqual(shipped);
      const { problems, logs } = await checkBucket(bucket, [...sessions, large]);
      expect(problems).toEqual([]);
      expect(logs.find(({ log }) => log.session.name === 'run-3')?.log.session.agent?.host).toBe('gpu-b');
      expect(leasesIn(folder).sort()).toEqual([0, 1, 2, 3].map((n) => `run-${n} gpu-b done`));
    },
    timeoutMs,
  );

  test(
    'a pod that goes in the middle of a file hands it over at once, and the next one goes on with the same upload',
    async (context) => {
      const reason = whyNoNamespaces();
      if (reason !== undefined) context.skip(reason);
      const bucket = await makeBucket();
      const slow = { TRAINLOGD_UPLOAD_PART_SIZE: '5MiB', TRAINLOGD_UPLOAD_PART_CONCURRENCY: '1' };
      const hurried = { ...inAHurry, ...slow, TRAINLOGD_DRAIN_TIMEOUT: '6s' };
      const hostA = inPod(await makeNamespacedHost(context, 'gpu-a', bucket, hurried));
      const hostB = inPod(await makeNamespacedHost(context, 'gpu-b', bucket, hurried, hostA));
      const { folder } = hostA;
      const ended = planSession(random, folder, 0, { ...wish, path: 'run-0' });
      const large = withLargeFile(ended, folder, 24 * mebibyte);

      const a = start(context, hostA, []);
      await a.event('daemon.started');
      const stuck = hostA.hold(13 * mebibyte);
      await train(random, [large], 1);
      await mkdir(join(folder, 'run-1'));
      await writeFile(join(folder, 'run-1', 'session.json'), '{}');
      await writeFile(join(folder, 'run-1', 'stdout.log'), 'epoch 1');
      await stuck.held;
      await a.event('session.found', ({ path }) => path === 'run-1');
      const b = start(context, hostB, []);
      await b.event('lease.held', ({ session, host }) => session === 'run-0' && host === 'gpu-a');
      const ending = stopPod(a);
      await a.event('daemon.stopped');
      stuck.cut();
      const end = await ending;
      expect(end.code, end.stderr.slice(-2000)).toBe(75);
      expect(unsentLines(end).join('\n')).toContain('large.log');
      expect(a.events('host.going')).toHaveLength(1);
      const taken = await b.event('lease.taken', ({ session }) => session === 'run-0');
      expect(taken).toMatchObject({ from: 'gpu-a', because: 'released' });
      await b.event(
        'session.shipped',
        ({ status, missing }) => status === 'completed' && missing === 0,
        40_000,
      );
      const continued = b.events('upload.continued');
      expect(continued).toMatchObject([{ path: 'large.log', sentBytes: 10 * mebibyte }]);
      // Who writes it was not in view, and may be anywhere.
      await b.event('lease.taken', ({ session, because }) => session === 'run-1' && because === 'released');
      await stopPod(b);

      const { logs } = await checkBucket(bucket, [large]);
      const logOf = (name: string) => logs.find(({ log }) => log.session.name === name)?.log;
      expect(logs).toHaveLength(2);
      expect(logOf('run-0')).toMatchObject({
        session: { status: 'completed', agent: { host: 'gpu-b' } },
        missing: [],
      });
      const file = logOf('run-0')?.companions.find(({ path }) => path === 'large.log');
      expect(large.companions.get('large.log')?.equals(await bucket.bytes(file?.key ?? ''))).toBe(true);
      expect(await unfinishedUploads(bucket)).toEqual([]);
      if (serverLog !== undefined)
        expect((await partsTaken(bucket)).sort()).toEqual(['1', '2', '3', '4', '5']);
      expect(logOf('run-1')?.session.status).toBe('running');
    },
    2 * timeoutMs,
  );

  test(
    'a host that ends in order hands over at once, and each session is shipped by one host',
    async (context) => {
      const reason = whyNoNamespaces();
      if (reason !== undefined) context.skip(reason);
      const bucket = await makeBucket();
      const hostA = await makeNamespacedHost(context, 'gpu-a', bucket, inAHurry);
      const hostB = await makeNamespacedHost(context, 'gpu-b', bucket, inAHurry, hostA);
      const { folder } = hostA;
      const [a, b] = [start(context, hostA, []), start(context, hostB, [])];
      await Promise.all([a.event('daemon.started'), b.event('daemon.started')]);
      const sessions = Array.from({ length: 8 }, (_, n) =>
        planSession(random, folder, n, { ...wish, path: `run-${n}` }),
      );
      await train(random, sessions, 8);
      const shipped = () => [...a.events('session.shipped'), ...b.events('session.shipped')];
      await eventually(() => new Set(shipped().map(({ key }) => key)).size === 8, { timeoutMs: 30_000 });
      await mkdir(join(folder, 'last'));
      await writeFile(join(folder, 'last', 'session.json'), '{}');
      const holder = await eventually(() => leasesIn(folder).find((line) => line.startsWith('last ')));
      const [first, second] = holder.includes('gpu-a') ? [a, b] : [b, a];
      // Its session goes on, here or elsewhere.
      expect((await first.stop()).code).toBe(75);
      const taken = await second.event('lease.taken', ({ session }) => session === 'last');
      expect(taken.because).toBe('released');
      expect((await second.stop()).code).toBe(75);
      expect(leasesIn(folder).find((line) => line.startsWith('last '))).toMatch(/ released$/);
      const versions = Map.groupBy(await bucket.versions(), ({ key }) => key);
      expect([...versions.keys()].filter((key) => key.includes('.trainlogd/'))).toEqual([]);
      // No file was sent by both.
      const files = [...versions].filter(([key]) => key.includes('/companions/') && key.includes('/run-'));
      expect(files.length).toBeGreaterThanOrEqual(8);
      expect(files.filter(([, { length }]) => length !== 1).map(([key]) => key)).toEqual([]);
    },
    timeoutMs,
  );
});
