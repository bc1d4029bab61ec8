import { expect, onTestFinished, test } from 'vitest';
import { rescanMs, type TestAgent, World } from '../support/services.ts';

/** An agent that has looked at the folder for the first time; `a` is a session that goes on. */
async function watching(): Promise<{ world: World; agent: TestAgent }> {
  const world = new World();
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', 'one');
  const agent = world.start();
  const run = agent.watcher.run();
  onTestFinished(async () => {
    const stopped = agent.watcher.stop();
    await world.clock.advance(1_000);
    await Promise.all([stopped, run]);
  });
  await world.clock.advance(rescanMs);
  return { world, agent };
}

/** Until the next look at the whole folder. */
async function nextLook({ world, agent }: { world: World; agent: TestAgent }): Promise<void> {
  const { surveysDone } = agent.watcher;
  while (agent.watcher.surveysDone === surveysDone) await world.clock.advance(1_000);
}

const settle = (world: World) => world.clock.advance(rescanMs + 11_000);

test('what events tell of is not missed, and of the first look nothing is', async () => {
  const { world, agent } = await watching();
  for (let n = 0; n < 5; n++) {
    world.folder.append('a/out.log', ' more');
    world.folder.write(`new-${n}/session.json`, '{}');
    await settle(world);
  }
  expect(agent.watcher.missedByEvents).toBe(0);
  expect(agent.watcher.surveysDone).toBeGreaterThan(5);
  expect(agent.watcher.lastLookAtMs).toBeGreaterThan(world.clock.nowMs() - 2 * rescanMs);
});

test('what only a look at the whole folder finds is counted: a change, a new session, a file that is one', async () => {
  const { world, agent } = await watching();
  world.folder.emitHints = false;
  world.folder.append('a/out.log', ' more');
  await settle(world);
  expect(agent.watcher.missedByEvents).toBe(1);
  world.folder.write('b/session.json', '{"id":"b"}');
  world.folder.write('c.json', '{"id":"c"}');
  await settle(world);
  expect(agent.watcher.missedByEvents).toBe(3);
  await settle(world);
  expect(agent.watcher.missedByEvents).toBe(3);
});

test('an event that comes right after the look is late, not missing', async () => {
  const { world, agent } = await watching();
  world.folder.emitHints = false;
  world.folder.append('a/out.log', ' more');
  await nextLook({ world, agent });
  world.folder.emitHints = true;
  world.folder.append('a/out.log', ' and more');
  await settle(world);
  expect(agent.watcher.missedByEvents).toBe(0);
});

test('a session at rest is not watched: that it changes is missed by nobody', async () => {
  const { world, agent } = await watching();
  world.folder.write('a/result.json', '{"status":"completed"}');
  await settle(world);
  await agent.ship();
  await settle(world);
  expect(world.summary()).toEqual(['a completed 2 [out.log] []']);
  world.folder.append('a/out.log', ' more');
  await settle(world);
  await agent.ship();
  expect(world.summary()).toEqual(['a completed 4 [out.log] []']);
  expect(agent.watcher.missedByEvents).toBe(0);
});

test('a folder that was away is a new one: nothing of it was missed', async () => {
  const { world, agent } = await watching();
  world.folder.setState({ state: 'missing' });
  await world.clock.advance(rescanMs);
  expect(world.events.of('folder.missing')).toHaveLength(1);
  world.folder.emitHints = false;
  world.folder.append('a/out.log', ' more');
  world.folder.setState(undefined);
  await settle(world);
  expect(agent.watcher.missedByEvents).toBe(0);
});
