import { expect, test } from 'vitest';
import { Failure, type FailureKind } from '../../src/domain/failure.ts';
import { retryParked } from '../../src/services/parked-retry.ts';
import { folder, idleMs, type StartOptions, settleMs, type TestAgent, World } from '../support/services.ts';

function permanent(): Failure {
  const kind: FailureKind = 'permanent';
  return new Failure({ kind, code: 'KmsDisabled', attempted: 'writing "k"', remedy: 'ask the owner' });
}

/** A session of which `bad.txt` is parked and the rest is in the bucket. */
async function withParked(ending: 'result' | 'silence', options: StartOptions = {}) {
  const world = new World();
  world.folder.write('a/bad.txt', 'b');
  world.folder.write('a/good.txt', 'good');
  if (ending === 'result') world.folder.write('a/_SUCCESS', '');
  else await world.clock.advance(idleMs + 1);
  const agent = world.start({ concurrency: 1, ...options });
  world.store.failCall('put', 2, permanent());
  await agent.deliver();
  expect(agent.journal.backlog(folder).parked).toMatchObject([{ path: 'bad.txt', code: 'KmsDisabled' }]);
  return { world, agent };
}

function retry(world: World, agent: TestAgent, ids: readonly string[] | 'all' = 'all') {
  const { journal, tracker, watcher, uploader } = agent;
  return retryParked({ journal, folder, events: world.events, tracker, watcher, uploader }, ids);
}

test.each([
  ['result', 'completed'],
  ['silence', 'stalled'],
] as const)(
  'of a session that ended by %s a parked file is sent again without a new start, and nothing else',
  async (ending, status) => {
    const { world, agent } = await withParked(ending);
    // At rest: next to nothing of it is remembered by now.
    await world.clock.advance(10_000);
    await agent.look();
    await agent.look();
    expect(agent.tracker.sessions.size).toBe(0);
    const sentBefore = world.store.calls.length;
    const [known] = agent.journal.sessions(folder);
    const id = known?.identity?.id ?? '';
    expect(retry(world, agent, [id])).toEqual({
      version: 1,
      retried: [{ session: id, files: 1, log: false, isGone: false }],
      notParked: [],
      unknown: [],
    });
    expect(agent.journal.backlog(folder).parked).toMatchObject([
      { path: 'bad.txt', remedy: 'ask the owner' },
    ]);
    await agent.deliver();
    expect(world.summary()[0]).toMatch(new RegExp(`^a ${status} \\d \\[.*bad\\.txt good\\.txt\\] \\[\\]$`));
    expect(agent.journal.backlog(folder).parked).toEqual([]);
    expect(world.events.of('session.reopened')).toEqual([]);
    expect(world.events.of('session.retried')).toEqual([{ session: id, files: 1 }]);
    expect(world.store.calls.slice(sentBefore).filter((call) => call.endsWith('good.txt'))).toEqual([]);
  },
);

test('a file that fails again is parked again, with what was found this time', async () => {
  const { world, agent } = await withParked('result');
  retry(world, agent);
  await agent.lookTwice();
  world.store.failNext('put', permanent());
  await agent.ship();
  await agent.ship();
  expect(agent.journal.backlog(folder).parked).toMatchObject([{ code: 'KmsDisabled' }]);
});

test('a session whose log was refused is shipped once it is retried', async () => {
  const world = new World();
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/result.json', '{"status":"completed"}');
  const agent = world.start();
  world.store.failNext('put', permanent());
  await agent.deliver();
  expect(world.summary()).toEqual([]);
  expect(retry(world, agent).retried).toMatchObject([{ files: 0, log: true }]);
  await agent.ship();
  expect(world.summary()).toEqual(['a completed 1 [] []']);
});

test('of a session that goes on, a parked file goes with a log that is written at once', async () => {
  const world = new World();
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/bad.txt', 'b');
  const agent = world.start({ snapshotEveryMs: 60_000, concurrency: 1 });
  world.store.failCall('put', 2, permanent());
  await agent.look();
  await world.clock.advance(60_000);
  await agent.deliver();
  expect(world.summary()[0]).toMatch(/^a running \d \[\] \[bad\.txt:parked\]$/);
  retry(world, agent);
  await agent.look();
  await agent.ship();
  expect(world.summary()[0]).toMatch(/^a running \d \[bad\.txt\] \[\]$/);
});

test('asked for in the middle of a look at the folder, a session at rest is not taken for one that vanished', async () => {
  const { world, agent } = await withParked('result');
  await world.clock.advance(10_000);
  await agent.look();
  await agent.look();
  const looking = agent.look();
  retry(world, agent);
  await looking;
  await world.clock.advance(settleMs);
  await agent.deliver();
  expect(world.events.of('session.vanished')).toEqual([]);
  expect(agent.journal.backlog(folder).parked).toEqual([]);
});
