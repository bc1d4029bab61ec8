import { expect, test } from 'vitest';
import { idleMs, settleMs, type TestAgent, World } from '../support/services.ts';

const completed = '{"status":"completed"}';
const dayMs = 24 * 3_600_000;

/** A running session `a` that was looked at once. */
async function running(
  files: Readonly<Record<string, string>> = {},
): Promise<{ world: World; agent: TestAgent }> {
  const world = new World();
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', 'one');
  for (const [path, text] of Object.entries(files)) world.folder.write(`a/${path}`, text);
  const agent = world.start();
  await agent.look();
  return { world, agent };
}

const stateOf = (agent: TestAgent) => agent.tracker.sessions.get('a')?.state.at;
const sealed = (world: World) =>
  world.events.of('session.sealed').map(({ status, by }) => `${status} by ${by}`);

async function later(world: World, agent: TestAgent, ms: number): Promise<void> {
  await world.clock.advance(ms);
  await agent.look();
}

test('stragglers after the end are waited for', async () => {
  const { world, agent } = await running();
  world.folder.write('a/result.json', completed);
  await agent.look();
  for (let part = 0; part < 5; part++) {
    world.folder.append('a/out.log', ' more');
    await later(world, agent, settleMs - 1);
    expect(stateOf(agent)).toBe('sealing');
  }
  await later(world, agent, settleMs);
  expect(stateOf(agent)).toBe('shipping');
  await agent.ship();
  expect(world.store.versions('training-logs/companions/2026/01/a/out.log')).toHaveLength(1);
});

test.each([
  ['_SUCCESS', ''],
  ['_FAILED', ''],
  ['result.json', completed],
])('what says that it is over needs no rest of its own: %s', async (path, text) => {
  const { world, agent } = await running();
  await later(world, agent, settleMs);
  world.folder.write(`a/${path}`, text);
  await agent.look();
  expect(stateOf(agent)).toBe('shipping');
  await agent.ship();
  expect(world.log().missing).toEqual([]);
});

test('a marker does not hurry what was written right before it', async () => {
  const { world, agent } = await running();
  await later(world, agent, settleMs);
  world.folder.append('a/out.log', ' more');
  world.folder.write('a/_SUCCESS', '');
  await agent.look();
  expect(stateOf(agent)).toBe('sealing');
  await later(world, agent, settleMs);
  expect(stateOf(agent)).toBe('shipping');
});

test('a result that is half written is no end; completed, it is', async () => {
  const { world, agent } = await running();
  world.folder.write('a/result.json', '{"status":"comp');
  await later(world, agent, 10 * settleMs);
  expect(sealed(world)).toEqual([]);
  world.folder.append('a/result.json', 'leted"}');
  await agent.deliver();
  expect(sealed(world)).toEqual(['completed by result.json']);
  expect(world.summary()).toEqual(['a completed 2 [out.log] []']);
  expect(world.log().native).toMatchObject({ 'result.json': { status: 'completed' } });
});

test.each([
  ['_SUCCESS', '', 'completed by _SUCCESS'],
  ['_FAILED', '', 'failed by _FAILED'],
  ['_SUCCESS', 'data', undefined],
  ['sub/_SUCCESS', '', undefined],
])('marker %s holding "%s": %s', async (path, text, told) => {
  const { world, agent } = await running({ [path]: text });
  await agent.deliver();
  expect(sealed(world)).toEqual(told === undefined ? [] : [told]);
});

test('a marker dates the end', async () => {
  const { world, agent } = await running();
  await world.clock.advance(60_000);
  world.folder.write('a/_SUCCESS', '');
  const endedAt = new Date(world.clock.nowMs()).toISOString();
  await world.clock.advance(60_000);
  await agent.deliver();
  expect(world.log().session.endedAt).toBe(endedAt);
});

/** A session whose session.pid names 42, and how that process came to be. */
async function withProcess(start: (world: World) => void): Promise<{ world: World; agent: TestAgent }> {
  const world = new World();
  start(world);
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/session.pid', '42\n');
  const agent = world.start();
  await agent.look();
  return { world, agent };
}

test('the death of the process that session.pid names is an end', async () => {
  const { world, agent } = await withProcess(({ processes, clock }) => processes.start(42, clock.nowMs()));
  await later(world, agent, 60_000);
  expect(sealed(world)).toEqual([]);
  world.processes.kill(42);
  await agent.deliver();
  expect(sealed(world)).toEqual(['interrupted by session.pid: process 42 is gone']);
});

test('a process that died while nobody looked is an end at the next start', async () => {
  const { world } = await withProcess(({ processes, clock }) => processes.start(42, clock.nowMs()));
  world.processes.kill(42);
  const agent = world.start();
  await agent.look();
  await agent.look();
  expect(sealed(world)).toEqual(['interrupted by session.pid: process 42 is gone']);
});

test.each<[string, (world: World) => void]>([
  ['was never seen', () => undefined],
  [
    'started after the file was written',
    ({ processes, clock }) => processes.start(42, clock.nowMs() + dayMs),
  ],
])('a process that %s says nothing', async (_, start) => {
  const { world, agent } = await withProcess(start);
  world.processes.kill(42);
  await later(world, agent, idleMs - 1);
  expect(sealed(world)).toEqual([]);
  await later(world, agent, 1);
  expect(sealed(world)).toEqual(['stalled by no change for 7200 s']);
});

test('another process under the same number is not the one that was named', async () => {
  const { world, agent } = await withProcess(({ processes, clock }) => processes.start(42, clock.nowMs()));
  await world.clock.advance(60_000);
  world.processes.start(42, world.clock.nowMs());
  await agent.look();
  await agent.look();
  expect(sealed(world)).toEqual(['interrupted by session.pid: process 42 is gone']);
});

test('a process that hands over to a new one is no end', async () => {
  const { world, agent } = await withProcess(({ processes, clock }) => processes.start(42, clock.nowMs()));
  world.processes.kill(42);
  world.processes.start(43, world.clock.nowMs());
  world.folder.write('a/session.pid', '43');
  await agent.look();
  expect(sealed(world)).toEqual([]);
  world.processes.kill(43);
  await agent.look();
  await agent.look();
  expect(sealed(world)).toEqual(['interrupted by session.pid: process 43 is gone']);
});

test('what a process wrote last, after its folder was listed, says how it ended', async () => {
  const { world, agent } = await withProcess(({ processes, clock }) => processes.start(42, clock.nowMs()));
  const { isAlive } = world.processes;
  world.processes.isAlive = (identity) => {
    world.processes.isAlive = isAlive;
    world.folder.write('a/result.json', completed);
    world.processes.kill(42);
    return isAlive.call(world.processes, identity);
  };
  await agent.look();
  expect(sealed(world)).toEqual([]);
  await agent.look();
  expect(sealed(world)).toEqual(['completed by result.json']);
});

test('a result after the process died says how it ended', async () => {
  const { world, agent } = await withProcess(({ processes, clock }) => processes.start(42, clock.nowMs()));
  world.processes.kill(42);
  await agent.deliver();
  expect(world.log().session.status).toBe('interrupted');
  world.folder.write('a/result.json', completed);
  await agent.deliver();
  expect(world.log().session).toMatchObject({ status: 'completed', sealedBy: 'result.json' });
});

test('silence is no end while a process in view holds a file open', async () => {
  const { world, agent } = await running();
  const stat = world.folder.statAt('a/out.log');
  world.processes.openFiles.add(`${stat?.dev}:${stat?.ino}`);
  await later(world, agent, 3 * idleMs);
  expect(sealed(world)).toEqual([]);
  world.processes.openFiles.clear();
  await later(world, agent, 60_000);
  expect(sealed(world)).toEqual(['stalled by no change for 7200 s']);
});

test('files that are excluded count as changes', async () => {
  const { world, agent } = await running({ 'model.safetensors': 'weights' });
  await later(world, agent, idleMs - 1);
  world.folder.append('a/model.safetensors', ' more');
  await agent.look();
  await later(world, agent, idleMs - 1);
  expect(sealed(world)).toEqual([]);
});

test('a session that fell silent opens again when it changes, and is sealed again only once it is quiet', async () => {
  const { world, agent } = await running();
  await world.clock.advance(idleMs);
  await agent.deliver();
  expect(world.summary()).toEqual(['a stalled 2 [out.log] []']);
  for (let hour = 0; hour < 5; hour++) {
    world.folder.append('a/out.log', ' two');
    await later(world, agent, idleMs / 2);
    await agent.ship();
  }
  expect(world.events.of('session.reopened')).toEqual([{ session: 'a' }]);
  // That it goes on was told once, and nothing was sent of what is still written to.
  expect(world.summary()).toEqual(['a running 3 [out.log] [out.log:pending]']);
  expect(world.store.versions('training-logs/companions/2026/01/a/out.log')).toHaveLength(1);
  await world.clock.advance(idleMs);
  await agent.deliver();
  expect(world.log()).toMatchObject({
    session: { status: 'stalled' },
    companions: [{ bytes: 23 }],
    missing: [],
  });
  world.folder.write('a/result.json', completed);
  await agent.deliver();
  expect(world.log().session.status).toBe('completed');
});

test('a session that was open again when the agent was killed is open at the next start', async () => {
  const { world, agent } = await running();
  await world.clock.advance(idleMs);
  await agent.deliver();
  world.folder.append('a/out.log', ' two');
  await agent.look();
  const next = world.start();
  await next.look();
  expect(stateOf(next)).toBe('open');
  await later(world, next, idleMs - 1);
  expect(stateOf(next)).toBe('open');
  await world.clock.advance(1);
  await next.deliver();
  expect(world.log()).toMatchObject({ companions: [{ bytes: 7 }], missing: [] });
});

test('a file that never rests does not hold the session back: it is named, and shipped once it rests', async () => {
  const { world, agent } = await running();
  world.folder.write('a/result.json', completed);
  for (let second = 0; second < 40; second++) {
    world.folder.append('a/out.log', '.');
    await later(world, agent, 1_000);
    await agent.ship();
  }
  expect(world.summary()).toEqual(['a completed 1 [] [out.log:changing]']);
  await world.clock.advance(settleMs);
  await agent.look();
  await agent.deliver();
  expect(world.log()).toMatchObject({ companions: [{ path: 'out.log', bytes: 43 }], missing: [] });
});

test.each([
  ['back by an hour', -3_600_000],
  ['forward by a day', dayMs],
])('the clock set %s ends nothing and delays nothing', async (_, jumpMs) => {
  const { world, agent } = await running();
  world.clock.setWall(world.clock.nowMs() + jumpMs);
  world.folder.write('a/more.log', 'x');
  await agent.look();
  await later(world, agent, idleMs - 1);
  expect(sealed(world)).toEqual([]);
  world.folder.write('a/result.json', completed);
  await agent.deliver();
  expect(world.summary()).toEqual(['a completed 2 [more.log out.log] []']);
});
