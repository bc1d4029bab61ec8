import { expect, test } from 'vitest';
import { FileGrowth } from '../../src/services/file-growth.ts';
import type { SessionReading } from '../../src/services/session-reading.ts';
import { settleMs, World } from '../support/services.ts';

const reading: Pick<SessionReading, 'native'> = { native: new Set(['session.json', 'native.json']) };

/** What looks tell of the file `a/out.log`: how much of it is settled, and in how long another look would tell more. */
async function growing(text: string) {
  const world = new World();
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', text);
  const agent = world.start();
  const growth = new FileGrowth({
    choose: (path) => (path.endsWith('.bin') ? 'excluded' : 'companion'),
    growsFromBytes: 8,
    settleMs: () => settleMs,
  });
  const look = async (afterMs = 0) => {
    await world.clock.advance(afterMs);
    await agent.look();
    const tracked = agent.tracker.sessions.get('a');
    if (!tracked?.surveyed) throw new Error('session a is not open');
    const nowMs = world.clock.monotonicMs();
    const { files, lookAtMs } = growth.look(tracked, tracked.surveyed, reading as SessionReading, nowMs);
    return [files.map(({ path, settledBytes }) => `${path} ${settledBytes}`), lookAtMs - nowMs];
  };
  return { world, look };
}

const never = Number.POSITIVE_INFINITY;

test('what is written is settled once it was there for the settle time, however the file goes on', async () => {
  const { world, look } = await growing('x'.repeat(20));
  expect(await look()).toEqual([[], settleMs]);
  world.folder.append('a/out.log', 'x'.repeat(20));
  expect(await look(settleMs - 1)).toEqual([[], 1]);
  expect(await look(1)).toEqual([['out.log 20'], settleMs]);
  world.folder.append('a/out.log', 'x');
  expect(await look(settleMs)).toEqual([['out.log 40'], never]);
  expect(await look(settleMs)).toEqual([['out.log 41'], never]);
});

test('of a file that rests, all is settled at the first look', async () => {
  const { look } = await growing('x'.repeat(20));
  expect(await look(settleMs)).toEqual([['out.log 20'], never]);
});

test('a file that was cut begins anew, and so does another under its name', async () => {
  const { world, look } = await growing('x'.repeat(20));
  await look();
  expect(await look(settleMs)).toEqual([['out.log 20'], never]);
  world.folder.write('a/out.log', 'y'.repeat(16));
  expect(await look()).toEqual([[], settleMs]);
  await look(settleMs);
  world.folder.remove('a/out.log');
  world.folder.write('a/out.log', 'z'.repeat(30));
  expect(await look()).toEqual([[], settleMs]);
});

test('small files, native ones and those that are not shipped do not grow', async () => {
  const { world, look } = await growing('x'.repeat(7));
  world.folder.write('a/native.json', 'x'.repeat(20));
  world.folder.write('a/weights.bin', 'x'.repeat(20));
  await look();
  expect(await look(settleMs)).toEqual([[], never]);
});
