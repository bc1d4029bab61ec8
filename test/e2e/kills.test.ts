import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { checkBucket } from '../support/bucket-check.ts';
import { eventually } from '../support/eventually.ts';
import { describeS3, makeBucket } from '../support/s3.ts';
import { type SeededRandom, seededRandom, seedOf } from '../support/seeded-random.ts';
import { planSession, type TrainedSession, train } from '../support/trainer.ts';
import { type Cleanup, type Host, makeHost, start, statusOf, toBucket } from '../support/trainlogd.ts';

const sessionCount = 120;
const killCount = 50;
const random = seededRandom(seedOf(process.env));

describeS3(`killed ${killCount} times while sessions are dropped and shipped (seed ${random.seed})`, () => {
  test('the bucket ends as it would have without, and nothing is left behind', async (context) => {
    const bucket = await makeBucket();
    const host = await makeHost(context, toBucket(bucket), {
      TRAINLOGD_WATCH_SETTLE: '100ms',
      TRAINLOGD_WATCH_RESCAN: '1s',
    });
    const sessions = Array.from({ length: sessionCount }, (_, n) => planSession(random, host.folder, n));
    const killed = await killAgainAndAgain(context, host, sessions);
    expect(killed).toBe(killCount);

    const last = start(context, host);
    const clean = { open: 0, shipping: 0, shipped: sessionCount, skipped: 0, pendingFiles: 0 };
    await eventually(
      async () => {
        const { backlog } = await statusOf(context, host);
        expect(backlog).toMatchObject({ ...clean, unsent: [], parked: [] });
        return true;
      },
      { timeoutMs: 60_000, everyMs: 500 },
    );
    const { code, stderr } = await last.stop();
    expect(code, stderr.slice(-2000)).toBe(0);
    expect(await readdir(join(host.state, 'claims'))).toEqual([]);
    const { problems, logs } = await checkBucket(bucket, sessions);
    expect(problems).toEqual([]);
    expect(logs).toHaveLength(sessionCount);
  }, 120_000);
});

/** Sessions are dropped a few at a time between the kills; each life is started at once and lasts a random while. */
async function killAgainAndAgain(
  context: Cleanup,
  host: Host,
  sessions: readonly TrainedSession[],
): Promise<number> {
  const perKill = Math.ceil(sessions.length / killCount);
  let killed = 0;
  for (let life = 0; life < killCount; life += 1) {
    const daemon = start(context, host);
    const training = train(random, sessions.slice(life * perKill, (life + 1) * perKill), perKill);
    await oneLife(random);
    const { signal } = await daemon.stop('SIGKILL');
    if (signal === 'SIGKILL') killed += 1;
    await training;
  }
  return killed;
}

/** The moment of death is what this test is about: drawn, so no condition could be waited for in its place. */
function oneLife(chance: SeededRandom): Promise<void> {
  return delay(200 + chance.below(1_000));
}
