import PQueue from 'p-queue';
import { expect, test } from 'vitest';
import type { Clock } from '../../src/ports/clock.ts';
import type { Journal } from '../../src/ports/journal.ts';
import { DrainBudget } from '../../src/services/drain-budget.ts';
import type { SessionShipping } from '../../src/services/session-shipping.ts';
import { TransferRate } from '../../src/services/transfer-rate.ts';
import { Uploader } from '../../src/services/uploader.ts';
import { folder, identityOf, newSession, sqliteJournal, workOf } from '../support/journal.ts';

/** One session that is due later. */
function postponed(journal: Journal, dueMs: number): number {
  const { sid } = journal.begin(newSession('run'));
  journal.freeze(sid, identityOf('run'));
  journal.enqueue(sid, workOf([]));
  journal.postpone(sid, dueMs);
  return sid;
}

function uploaderWith(
  journal: Journal,
  clock: Clock,
  pass: SessionShipping['pass'] = async () => false,
): Uploader {
  return new Uploader({
    journal,
    shipping: { pass, logAsItIs: async () => {} },
    companions: { stopUnfit: () => {} },
    active: new Set(),
    budget: new DrainBudget({ clock, rate: new TransferRate({ clock }) }),
    sharing: { mayShip: async () => true },
    clock,
    folder,
    sessions: new PQueue({ concurrency: 1 }),
    sessionsMax: 1,
    hasOpenSessions: () => false,
    onShipped: async () => {},
  });
}

test('a session that becomes due between two looks at the clock is not slept past', async () => {
  using under = sqliteJournal();
  const { journal } = under;
  const sid = postponed(journal, 100);
  const times = [99.9];
  const sleeps: number[] = [];
  const passed: number[] = [];
  const clock: Clock = {
    nowMs: () => 0,
    monotonicMs: () => times.shift() ?? 100.1,
    random: () => 0.5,
    async sleep(ms) {
      sleeps.push(ms);
      if (ms > 1000) await uploader.stop();
    },
  };
  const uploader = uploaderWith(journal, clock, async (shipped) => {
    passed.push(shipped);
    void uploader.stop();
    return false;
  });
  await uploader.run();
  expect(passed).toEqual([sid]);
  expect(sleeps[0]).toBeLessThan(1);
});

test('whoever counts its turns sees one a minute, although the next session is due tomorrow', async () => {
  using under = sqliteJournal();
  postponed(under.journal, 86_400_000);
  const sleeps: number[] = [];
  const clock: Clock = {
    nowMs: () => 0,
    monotonicMs: () => 0,
    random: () => 0.5,
    async sleep(ms) {
      sleeps.push(ms);
      if (sleeps.length === 3) await uploader.stop();
    },
  };
  const uploader = uploaderWith(under.journal, clock);
  await uploader.run();
  expect(sleeps).toEqual([60_000, 60_000, 60_000]);
  expect(uploader.turns).toBe(3);
});
