import { expect, test } from 'vitest';
import type { FileStat } from '../../src/ports/file-source.ts';
import { isRacy, tickMaxMs } from '../../src/ports/file-source.ts';
import { Janitor } from '../../src/services/janitor.ts';
import { folder, idleMs, settleMs, type TestAgent, World } from '../support/services.ts';

const completed = '{"status":"completed"}';
const key = 'training-logs/companions/2026/01/a/out.log';
const bytes = (world: World) => world.store.versions(key).map((version) => version.bytes.toString());

/** A session that ended; its file was shipped `afterMs` after it was written, and then written again without a sign. */
async function shippedAfter(afterMs: number): Promise<{ world: World; agent: TestAgent }> {
  const world = new World();
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', 'early');
  world.folder.write('a/result.json', completed);
  const agent = world.start({ settleMs: 50 });
  await agent.look();
  await world.clock.advance(afterMs);
  await agent.look();
  await agent.ship();
  expect(bytes(world)).toEqual(['early']);
  return { world, agent };
}

async function later(world: World, agent: TestAgent, ms = tickMaxMs): Promise<void> {
  await world.clock.advance(ms);
  await agent.look();
  await agent.ship();
}

test('a file that was sent right after it was written is read again, and what no stat tells is sent', async () => {
  const { world, agent } = await shippedAfter(100);
  const { revision } = world.log().session;
  world.folder.writeUnseen('a/out.log', 'later');
  await later(world, agent);
  expect(bytes(world)).toEqual(['early', 'later']);
  expect(world.log().session).toMatchObject({ status: 'completed', revision: revision + 2 });
  expect(world.log()).toMatchObject({ companions: [{ path: 'out.log' }], missing: [] });
});

test('the same bytes are not sent again, and the log stays as it is; then the session rests', async () => {
  const { world, agent } = await shippedAfter(100);
  const { revision } = world.log().session;
  await agent.look();
  expect(agent.tracker.sessions.all()).toHaveLength(1);
  await later(world, agent);
  await later(world, agent);
  expect(bytes(world)).toEqual(['early']);
  expect(world.log().session.revision).toBe(revision);
  expect(agent.tracker.sessions.all()).toEqual([]);
  const reads = world.events.of('file.unchanged').length;
  expect(reads).toBe(1);
  await later(world, agent, 10 * tickMaxMs);
  expect(world.events.of('file.unchanged')).toHaveLength(reads);
});

test('what a life did not come to read again the next one does', async () => {
  const { world } = await shippedAfter(100);
  world.folder.writeUnseen('a/out.log', 'later');
  await world.clock.advance(tickMaxMs);
  const next = world.start({ settleMs: 50 });
  await next.look();
  await next.ship();
  expect(bytes(world)).toEqual(['early', 'later']);
  await next.look();
  expect(next.tracker.sessions.all()).toEqual([]);
});

test('a file that had rested when it was sent is believed, and not read again', async () => {
  const { world, agent } = await shippedAfter(tickMaxMs);
  await later(world, agent, 0);
  expect(agent.tracker.sessions.all()).toEqual([]);
  await later(world, agent);
  expect(world.events.of('file.unchanged')).toEqual([]);
});

test('a file in doubt is deleted only once it was read again', async () => {
  const { world, agent } = await shippedAfter(100);
  const { store, processes, clock, events } = world;
  const janitor = new Janitor({
    source: world.folder,
    journal: agent.journal,
    store,
    processes,
    clock,
    events,
    folder,
    abandoned: undefined,
    retention: { localFiles: 'delete', keepForMs: 0 },
  });
  const { signal } = new AbortController();
  await clock.advance(tickMaxMs);
  await janitor.deleteShipped(signal);
  expect(world.folder.statAt('a/out.log')).toBeDefined();
  await later(world, agent, 0);
  await clock.advance(1);
  await janitor.deleteShipped(signal);
  expect(world.folder.statAt('a/out.log')).toBeUndefined();
});

test('a file that a log of a running session brought along at once is read again at the end', async () => {
  const world = new World();
  world.folder.write('a/session.json', '{"id":"a"}');
  const agent = world.start({ snapshotEveryMs: 60_000 });
  await agent.look();
  await world.clock.advance(60_000);
  world.folder.write('a/out.log', 'early');
  await agent.look();
  await agent.ship();
  expect(bytes(world)).toEqual(['early']);
  world.folder.writeUnseen('a/out.log', 'later');
  await world.clock.advance(settleMs);
  world.folder.write('a/result.json', completed);
  await agent.deliver();
  expect(bytes(world)).toEqual(['early', 'later']);
  expect(world.log()).toMatchObject({ session: { status: 'completed' }, missing: [] });
});

test('a session that fell silent is not taken for one that goes on', async () => {
  const world = new World();
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', 'early');
  const agent = world.start({ settleMs: 50 });
  agent.observer.early.order('stalled', 'drain', 0);
  await agent.look();
  await world.clock.advance(100);
  await agent.look();
  await agent.ship();
  await later(world, agent);
  expect(world.summary()).toEqual(['a stalled 2 [out.log] []']);
  expect(world.events.of('session.reopened')).toEqual([]);
  expect(agent.tracker.sessions.unfinished()).toEqual([]);
  await later(world, agent, idleMs);
  expect(world.log().session.status).toBe('stalled');
});

const openedAtMs = Date.UTC(2026, 0, 2);
const at = (mtimeMs: number, ctimeMs = mtimeMs, sizeBytes = 1): FileStat => ({
  dev: 1n,
  ino: 1n,
  sizeBytes,
  mtimeNs: BigInt(mtimeMs) * 1_000_000n,
  ctimeNs: BigInt(ctimeMs) * 1_000_000n,
  birthtimeNs: 0n,
});

test.each<[string, FileStat, boolean]>([
  ['just now', at(openedAtMs), true],
  ['almost a tick ago', at(openedAtMs - tickMaxMs + 1), true],
  ['a tick ago', at(openedAtMs - tickMaxMs), false],
  ['a little in the future', at(openedAtMs + 100), true],
  ['long ago, with a link made just now', at(0, openedAtMs), false],
  ['in another year, by a copy', at(openedAtMs + 400 * 86_400_000, openedAtMs), false],
  ['just now, and it is empty', at(openedAtMs, openedAtMs, 0), false],
])('a file that was written %s', (_, stat, expected) => {
  expect(isRacy(stat, openedAtMs)).toBe(expected);
});
