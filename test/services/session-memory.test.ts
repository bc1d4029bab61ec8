import { expect, test } from 'vitest';
import { folder, idleMs, settleMs, type TestAgent, World } from '../support/services.ts';
import { WatchedFolderScans } from '../support/watched-scans.ts';

const completed = '{"status":"completed"}';
const remembered = (agent: TestAgent) => agent.tracker.sessions.all().map(({ root }) => root);
const phases = (agent: TestAgent) =>
  agent.journal.sessions(folder).map(({ root, phase }) => `${root} ${phase}`);

/** `a` was shipped, and one more look found it as it was. */
async function atRest() {
  const world = new World();
  world.folder.write('a/out.log', 'x');
  world.folder.write('a/result.json', completed);
  const agent = world.start();
  await agent.deliver();
  await agent.look();
  expect(phases(agent)).toEqual(['a shipped']);
  expect(remembered(agent)).toEqual([]);
  return { world, agent };
}

test('what is shipped and does not change is not remembered, in this life and the next', async () => {
  const { world, agent } = await atRest();
  const { revision } = world.log().session;
  await agent.look();
  const scans = new WatchedFolderScans();
  const next = world.start({ journal: scans.journal });
  await next.look();
  await next.ship();
  expect(remembered(next)).toEqual([]);
  // Not a single session's files were asked for.
  expect(scans.filesAskedFor).toBe(0);
  expect(world.log().session.revision).toBe(revision);
});

test.each([
  ['grows', (world: World) => world.folder.append('a/out.log', 'y')],
  ['has a new file', (world: World) => world.folder.write('a/new.log', 'y')],
])('what rests and %s is a session again, and a revision later at rest', async (_, change) => {
  for (const restarts of [false, true]) {
    const { world, agent: before } = await atRest();
    const { revision } = world.log().session;
    const agent = restarts ? world.start() : before;
    await agent.look();
    change(world);
    await agent.look();
    expect(remembered(agent)).toEqual(['a']);
    await world.clock.advance(settleMs);
    await agent.deliver();
    expect(world.log().session.revision).toBeGreaterThan(revision);
    await agent.look();
    expect(remembered(agent)).toEqual([]);
  }
});

test('another directory in the place of one at rest is another session', async () => {
  const { world, agent } = await atRest();
  world.folder.remove('a');
  world.folder.write('a/new.log', 'z');
  world.folder.write('a/result.json', completed);
  await agent.deliver();
  expect(world.logKeys()).toHaveLength(2);
  expect(phases(agent)).toEqual(['a shipped']);
});

test('what rests and is away for long is given up; away for a while, it is what it was', async () => {
  const { world, agent } = await atRest();
  world.folder.rename('a', '.hidden');
  await agent.look();
  expect(remembered(agent)).toEqual(['a']);
  world.folder.rename('.hidden', 'a');
  await agent.look();
  expect(remembered(agent)).toEqual([]);
  world.folder.rename('a', '.hidden');
  await agent.look();
  await world.clock.advance(idleMs);
  await agent.look();
  expect(phases(agent)).toEqual([]);
  expect(world.events.of('session.vanished')).toEqual([]);
});

test('what was skipped for its age rests, and is open for backfill', async () => {
  const world = new World();
  world.folder.write('old/out.log', 'x');
  await world.clock.advance(10 * idleMs);
  const agent = world.start({ ignoreOlderThanMs: idleMs });
  await agent.look();
  await agent.look();
  expect(phases(agent)).toEqual(['old skipped']);
  expect(remembered(world.start())).toEqual([]);
  expect(remembered(world.start({ includeSkipped: true }))).toEqual(['old']);
});

test('what is new is looked at before what rests', async () => {
  const { world } = await atRest();
  world.folder.write('z/out.log', 'x');
  const scans = new WatchedFolderScans();
  await world.start({ source: scans.source }).look();
  expect(scans.scanned).toEqual(['z', 'a']);
});
