import PQueue from 'p-queue';
import { expect, test } from 'vitest';
import type { Clock } from '../../src/ports/clock.ts';
import { DrainBudget } from '../../src/services/drain-budget.ts';
import type { SessionShipping } from '../../src/services/session-shipping.ts';
import { TransferRate } from '../../src/services/transfer-rate.ts';
import { Uploader } from '../../src/services/uploader.ts';
import { folder, identityOf, newSession, sqliteJournal, workOf } from '../support/journal.ts';

test('a session that becomes due between two looks at the clock is not slept past', async () => {
  using under = sqliteJournal();
  const { journal } = under;
  const { sid } = journal.begin(newSession('run'));
  journal.freeze(sid, identityOf('run'));
  journal.enqueue(sid, workOf([]));
  journal.postpone(sid, 100);
  const times = [99.9];
  const sleeps: number[] = [];
  const passed: number[] = [];
  const shipping: Pick<SessionShipping, 'pass' | 'logAsItIs'> = {
    async pass(shipped) {
      passed.push(shipped);
      void uploader.stop();
      return false;
    },
    logAsItIs: async () => {},
  };
  const clock: Clock = {
    nowMs: () => 0,
    monotonicMs: () => times.shift() ?? 100.1,
    random: () => 0.5,
    async sleep(ms) {
      sleeps.push(ms);
      if (ms > 1000) await uploader.stop();
    },
  };
  const uploader = new Uploader({
    journal,
    shipping,
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
  await uploader.run();
  expect(passed).toEqual([sid]);
  expect(sleeps[0]).toBeLessThan(1);
});
