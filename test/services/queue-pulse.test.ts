import { expect, test } from 'vitest';
import { queueLook } from '../../src/compose-status.ts';
import { Failure } from '../../src/domain/failure.ts';
import { QueuePulse } from '../../src/services/queue-pulse.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { World } from '../support/services.ts';

interface Step {
  readonly afterMs: number;
  readonly isBusy?: boolean;
  readonly turns?: number;
  readonly mark?: string;
}

/** The last look's answer, after looks at the given times. */
async function stuckAfter(steps: readonly Step[]): Promise<number | undefined> {
  const clock = new FakeClock();
  const pulse = new QueuePulse(clock, 600_000);
  let last: number | undefined;
  let turns = 0;
  for (const { afterMs, isBusy = true, mark = 'same', ...step } of steps) {
    await clock.advance(afterMs);
    turns += 1;
    last = pulse.stuckForMs({ isBusy, mark, turns: step.turns ?? turns });
  }
  return last;
}

test.each<[string, readonly Step[], number | undefined]>([
  ['nothing is known at the first look', [{ afterMs: 0 }], undefined],
  ['it has not stood still for long enough', [{ afterMs: 0 }, { afterMs: 599_999 }], undefined],
  ['it is busy and makes no step', [{ afterMs: 0 }, { afterMs: 300_000 }, { afterMs: 300_000 }], 600_000],
  [
    'a byte was sent in between',
    [{ afterMs: 0 }, { afterMs: 590_000, mark: 'other' }, { afterMs: 590_000, mark: 'other' }],
    undefined,
  ],
  [
    'it was idle, or blocked, in between',
    [{ afterMs: 0 }, { afterMs: 590_000, isBusy: false }, { afterMs: 590_000 }],
    undefined,
  ],
  [
    'idle for hours',
    [
      { afterMs: 0, isBusy: false },
      { afterMs: 9e6, isBusy: false },
    ],
    undefined,
  ],
  [
    'its loop takes no turn, whatever else moves',
    [
      { afterMs: 0, turns: 7 },
      { afterMs: 700_000, turns: 7, mark: 'other', isBusy: false },
    ],
    700_000,
  ],
])('a queue of which %s stands still for: %#', async (_, steps, expected) => {
  expect(await stuckAfter(steps)).toBe(expected);
});

test('a new life is not blamed for the stillness of the one before', async () => {
  const clock = new FakeClock();
  const pulse = new QueuePulse(clock, 600_000);
  pulse.stuckForMs({ isBusy: true, turns: 1, mark: 'm' });
  await clock.advance(900_000);
  pulse.forget();
  expect(pulse.stuckForMs({ isBusy: true, turns: 1, mark: 'm' })).toBeUndefined();
});

test('a large file that is read again after a restart, to prove what was sent of it, is a step with every read', async () => {
  const world = new World({ parts: { firstBytes: 10 } });
  world.folder.write('a/large.bin', 'abcdefghij'.repeat(20));
  world.folder.write('a/result.json', '{"status":"completed"}');
  const { parts } = world.store;
  if (!parts) return expect.fail('the store has no parts');
  const complete = parts.complete.bind(parts);
  parts.complete = async () => {
    throw new Failure({ kind: 'transient', code: 'Killed', attempted: 'completing: killed' });
  };
  await world.start().deliver();
  const marks: string[] = [];
  parts.complete = async (...request) => {
    marks.push('complete');
    return await complete(...request);
  };
  const next = world.start();
  const open = world.folder.open.bind(world.folder);
  world.folder.open = async (path) => {
    const opened = await open(path);
    const read = opened.read.bind(opened);
    return Object.assign(opened, {
      async read(...args: Parameters<typeof read>) {
        if (next.uploader.activeTransfers().length > 0) marks.push(queueLook(next).mark);
        return await read(...args);
      },
    });
  };
  await world.clock.advance(600_000);
  await next.deliver();
  const before = marks.slice(0, marks.indexOf('complete'));
  expect(before.length).toBeGreaterThanOrEqual(20);
  expect(new Set(before).size).toBe(before.length);
});
