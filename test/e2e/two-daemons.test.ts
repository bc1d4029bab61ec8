import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkBucket } from '../support/bucket-check.ts';
import { eventually } from '../support/eventually.ts';
import { describeS3, makeBucket } from '../support/s3.ts';
import { seededRandom, seedOf } from '../support/seeded-random.ts';
import { planSession, type SessionWish, train, uuid } from '../support/trainer.ts';
import { makeHost, start, type Trainlogd, toBucket } from '../support/trainlogd.ts';

const random = seededRandom(seedOf(process.env));
/** A session whose id another one may want waits some 12 s on such an endpoint before its files go. */
const timeoutMs = 60_000;

/** Neither waits for the others: the file lasts as long as its slowest test. */
describeS3.concurrent(`sessions that want one id (seed ${random.seed})`, () => {
  test(
    'two daemons with folders of the same names lose nothing and overwrite nothing',
    async (context) => {
      const bucket = await makeBucket();
      const hosts = await Promise.all([1, 2].map(() => makeHost(context, toBucket(bucket))));
      const wishes: SessionWish[] = [
        ...Array.from({ length: 6 }, () => ({ path: uuid(random), end: '_SUCCESS' as const })),
        ...Array.from({ length: 6 }, (_, n) => ({ path: `run-${n}`, id: `train-${n}-${random.hex(6)}` })),
        { path: 'run-own-name', end: '_FAILED' },
      ];
      const trained = hosts.map(({ folder }) =>
        wishes.map((wish, n) => planSession(random, folder, n, wish)),
      );
      const daemons = hosts.map((host) => start(context, host));
      await Promise.all(daemons.map((daemon) => daemon.event('daemon.started')));
      await train(random, random.shuffled(trained.flat()), 4);
      await Promise.all(daemons.map((daemon) => shipped(daemon, wishes.length)));
      const ends = await Promise.all(daemons.map((daemon) => daemon.stop()));
      expect(ends.map(({ code }) => code)).toEqual([0, 0]);

      const { problems, logs } = await checkBucket(bucket, trained.flat(), {
        lostFirstWrites: true,
      });
      expect(problems).toEqual([]);
      const wanted = trained.flat().flatMap(({ id }) => id ?? []);
      const contested = new Set(wanted);
      const suffixed = logs.filter(
        ({ log }) => !contested.has(log.session.id) && /-[0-9a-f]{6}$/.test(log.session.id),
      );
      const renamed = daemons.flatMap((daemon) => daemon.events('session.renamed'));
      expect(renamed.map(({ wanted }) => wanted).sort()).toEqual([...contested].sort());
      for (const { session, wanted, level } of renamed) {
        expect(session).toMatch(new RegExp(`^${wanted}-[0-9a-f]{6}$`));
        const log = suffixed.find((one) => one.log.session.id === session)?.log;
        expect(log?.warnings.join('\n')).toContain(`id "${wanted}" is taken`);
        expect(level).toBe('warn');
      }
    },
    timeoutMs,
  );

  test(
    'a directory that is removed and made again while the daemon runs is two sessions',
    async (context) => {
      const bucket = await makeBucket();
      const host = await makeHost(context, toBucket(bucket), {
        TRAINLOGD_WATCH_SETTLE: '200ms',
        // A directory that is gone and back within one look of chokidar is no event: scans find it.
        TRAINLOGD_WATCH_RESCAN: '500ms',
      });
      const path = uuid(random);
      const first = planSession(random, host.folder, 1, { path, end: 'completed' });
      const second = planSession(random, host.folder, 2, { path, end: '_FAILED' });
      const daemon = start(context, host);
      await daemon.event('daemon.started');
      await train(random, [first], 1);
      await shipped(daemon, 1);
      await rm(join(host.folder, path), { recursive: true });
      await train(random, [second], 1);
      await shipped(daemon, 2);
      expect((await daemon.stop()).code).toBe(0);
      const { problems, logs } = await checkBucket(bucket, [first, second]);
      expect(problems).toEqual([]);
      expect(logs.map(({ log }) => log.session.id).sort()).toEqual([
        path,
        expect.stringMatching(new RegExp(`^${path}-[0-9a-f]{6}$`)),
      ]);
    },
    timeoutMs,
  );

  test(
    'a directory that is removed and made again while no daemon runs is two sessions',
    async (context) => {
      const bucket = await makeBucket();
      const host = await makeHost(context, toBucket(bucket), { TRAINLOGD_WATCH_SETTLE: '200ms' });
      const path = 'run-again';
      const id = `train-${random.hex(8)}`;
      const sessions = [1, 2].map((number) => planSession(random, host.folder, number, { path, id }));
      for (const session of sessions) {
        await rm(join(host.folder, path), { recursive: true, force: true });
        await train(random, [session], 1);
        const { code, stderr } = await start(context, host, ['run', '--exit-when-done']).ended;
        expect(code, stderr.slice(-2000)).toBe(0);
      }
      const { problems, logs } = await checkBucket(bucket, sessions);
      expect(problems).toEqual([]);
      expect(logs.map(({ log }) => log.session.id).sort()).toEqual([
        id,
        expect.stringMatching(new RegExp(`^${id}-[0-9a-f]{6}$`)),
      ]);
    },
    timeoutMs,
  );
});

async function shipped(daemon: Trainlogd, count: number): Promise<void> {
  await eventually(() => new Set(daemon.events('session.shipped').map(({ key }) => key)).size >= count, {
    timeoutMs: timeoutMs - 10_000,
    everyMs: 50,
  });
}
