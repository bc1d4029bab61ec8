import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { makePlace, runAgent, shippedLogs, startAgent } from '../support/agent.ts';
import { eventually } from '../support/eventually.ts';
import { expectHealthy, makeHealthy, write } from '../support/hostile.ts';

const clock = vi.hoisted(() => ({ setBackMs: 0 }));
const hourMs = 3_600_000;

vi.mock(import('../../src/adapters/system-time.ts'), async (importOriginal) => {
  const { systemClock } = await importOriginal();
  return {
    systemClock: {
      nowMs: () => systemClock.nowMs() - clock.setBackMs,
      monotonicMs: () => systemClock.monotonicMs(),
      sleep: (ms, signal) => systemClock.sleep(ms, signal),
      random: () => systemClock.random(),
    },
  };
});

beforeEach(() => {
  clock.setBackMs = 0;
});

test('a clock that is set back an hour while sessions are written holds none of them up', async () => {
  const place = await makePlace();
  await write(place, 'hostile/train.log', 'epoch 1\n');
  await write(place, 'hostile/session.json', '{"id":"in-between"}');
  const run = startAgent(place, ['run']);
  await run.until('session.found');
  clock.setBackMs = hourMs;
  await makeHealthy(place);
  await write(place, 'hostile/result.json', '{"status":"completed"}');
  await eventually(
    () => shippedLogs(place).size === 2 && shippedLogs(place).get('hostile')?.missing.length === 0,
  );
  await run.until('session.shipped', ({ session }) => session === 'healthy');
  run.signal('SIGTERM');
  const ended = await run.ended;
  expect(ended.exit, ended.stderr).toBe(0);
  expectHealthy(place);
  expect(shippedLogs(place).get('hostile')).toMatchObject({ session: { status: 'completed' }, warnings: [] });
});

test('a change after the clock was set back an hour is one revision more, under the same key', async () => {
  const place = await makePlace();
  await makeHealthy(place);
  await write(place, 'hostile/train.log', 'epoch 1\n');
  expect((await runAgent(place, ['drain'])).exit).toBe(0);
  const before = shippedLogs(place).get('hostile');
  clock.setBackMs = hourMs;
  appendFileSync(join(place.folder, 'hostile/train.log'), 'epoch 2\n');
  expect((await runAgent(place, ['drain'])).exit).toBe(0);
  const after = shippedLogs(place).get('hostile');
  expect(after?.session.id).toBe(before?.session.id);
  expect(after?.session.revision).toBeGreaterThan(before?.session.revision ?? 0);
  expect(after?.companions).toMatchObject([{ path: 'train.log', bytes: 16 }]);
  expect(after?.missing).toEqual([]);
  expectHealthy(place);
});
