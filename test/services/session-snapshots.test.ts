import { expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { idleMs, settleMs, type TestAgent, World } from '../support/services.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const snapshotEveryMs = 5 * minuteMs;
const completed = '{"status":"completed"}';
const keyOf = (path: string) => `training-logs/companions/2026/01/a/${path}`;
const log = 'training-logs/2026/01/a.log';

/** An open session `a`, found just now. Parts are of 8 bytes. */
async function open(
  files: Readonly<Record<string, string>> = { 'out.log': 'one' },
  world = new World({ parts: { firstBytes: 8 } }),
): Promise<{ world: World; agent: TestAgent }> {
  world.folder.write('a/session.json', '{"id":"a"}');
  for (const [path, text] of Object.entries(files)) world.folder.write(`a/${path}`, text);
  const agent = world.start({ snapshotEveryMs });
  await agent.look();
  return { world, agent };
}

/** Time passes; what is due is looked at and shipped. */
async function later(world: World, agent: TestAgent, ms: number): Promise<void> {
  await world.clock.advance(ms);
  await agent.look();
  await agent.ship();
  await agent.grown();
}

const revision = (world: World) => (world.logKeys().length > 0 ? world.log().session.revision : 0);
const due = (agent: TestAgent) => agent.tracker.sessions.get('a')?.lookAtMs;

test('an open session gets its log with its small files as they are; large ones are named', async () => {
  const { world, agent } = await open({ 'out.log': 'one', 'metrics.csv': 'step,loss\n1,2\n' });
  await later(world, agent, snapshotEveryMs);
  expect(world.summary()).toEqual(['a running 2 [out.log] [metrics.csv:pending]']);
  expect(world.log().session).toEqual({
    id: 'a',
    name: 'a',
    status: 'running',
    startedAt: '2026-01-02T03:04:05.000Z',
    revision: 2,
    agent: { version: '0.1.0', host: 'node-1' },
  });
  expect(world.store.text(keyOf('out.log'))).toBe('one');
  expect(world.store.keys()).not.toContain(keyOf('metrics.csv'));
  expect(await world.folder.claims()).toEqual([]);
  expect(agent.tracker.sessions.get('a')?.state.at).toBe('open');
});

test('a session that did not change gets no new revision, and nothing is asked for it', async () => {
  const { world, agent } = await open();
  await later(world, agent, snapshotEveryMs);
  const { length } = world.store.calls;
  for (let n = 0; n < 3; n++) await later(world, agent, snapshotEveryMs);
  expect(world.store.calls.slice(length)).toEqual([]);
});

test('nor does it after a restart', async () => {
  const { world, agent } = await open();
  await later(world, agent, snapshotEveryMs);
  const next = world.start({ snapshotEveryMs });
  await next.look();
  await later(world, next, snapshotEveryMs);
  expect(world.store.versions(log)).toHaveLength(2);
  expect(world.store.versions(keyOf('out.log'))).toHaveLength(1);
});

test('a restart right after a snapshot is no silence: what was sent is as old as its times say', async () => {
  const { world, agent } = await open();
  await world.clock.advance(idleMs - 2 * minuteMs);
  world.folder.append('a/out.log', ' two');
  await later(world, agent, minuteMs);
  expect(world.summary()).toEqual(['a running 2 [out.log] []']);
  const next = world.start({ snapshotEveryMs });
  await later(world, next, 3 * minuteMs);
  expect(world.events.of('session.sealed')).toEqual([]);
  await later(world, next, idleMs - 4 * minuteMs);
  expect(world.log().session.status).toBe('stalled');
});

test('a small file that changed is named as pending before it is replaced', async () => {
  const { world, agent } = await open();
  await later(world, agent, snapshotEveryMs);
  world.folder.append('a/out.log', ' two');
  const { length } = world.store.calls;
  await later(world, agent, snapshotEveryMs);
  const writes = world.store.calls.slice(length).filter((call) => call.startsWith('put'));
  expect(writes).toEqual([`put ${log}`, `put ${keyOf('out.log')}`, `put ${log}`]);
  expect(world.log(log, 2)).toMatchObject({
    companions: [],
    missing: [{ path: 'out.log', reason: 'pending' }],
  });
  expect(world.summary()).toEqual(['a running 4 [out.log] []']);
});

test.each([
  ['without restarts', Number.POSITIVE_INFINITY],
  ['restarted every 7 minutes', 7],
])('every five minutes for an hour, then ever more rarely, %s', async (_, restartMinutes) => {
  const { world, agent: first } = await open();
  let agent = first;
  const taken: number[] = [];
  for (let minute = 1; minute <= 130; minute++) {
    world.folder.append('a/out.log', '.');
    const before = revision(world);
    await later(world, agent, minuteMs);
    if (revision(world) > before) taken.push(minute);
    if (minute % restartMinutes === 0) {
      agent = world.start({ snapshotEveryMs });
      await agent.look();
    }
  }
  expect(taken).toEqual([5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 70, 90, 130]);
});

test('a file that changes while it is read is named so, tried again, and holds up no other', async () => {
  const { world, agent } = await open({ 'busy.log': 'busy', 'out.log': 'one' });
  world.folder.beforeRead = (path) => {
    if (path === 'a/busy.log') world.folder.write('a/busy.log', 'BUSY');
  };
  await later(world, agent, snapshotEveryMs);
  expect(world.summary()).toEqual(['a running 2 [out.log] [busy.log:changing]']);
  world.folder.beforeRead = () => undefined;
  await later(world, agent, minuteMs);
  expect(world.summary()).toEqual(['a running 3 [busy.log out.log] []']);
});

test('a file that is deleted between two snapshots stays in the bucket as it was', async () => {
  const { world, agent } = await open();
  await later(world, agent, snapshotEveryMs);
  world.folder.remove('a/out.log');
  world.folder.write('a/result.json', completed);
  await agent.deliver();
  expect(world.summary()).toEqual(['a completed 3 [out.log] []']);
});

test('a large file that an earlier snapshot named and that is gone at the end is named as vanished', async () => {
  const { world, agent } = await open({ 'metrics.csv': 'step,loss\n1,2\n' });
  await later(world, agent, snapshotEveryMs);
  world.folder.remove('a/metrics.csv');
  world.folder.write('a/result.json', completed);
  await agent.deliver();
  expect(world.log().missing).toEqual([{ path: 'metrics.csv', bytes: 14, reason: 'vanished' }]);
});

test('a small file that was shipped, grew large and is gone at the end is named as vanished', async () => {
  const { world, agent } = await open();
  await later(world, agent, snapshotEveryMs);
  world.folder.append('a/out.log', ' and much more');
  await later(world, agent, snapshotEveryMs);
  expect(world.summary()).toEqual(['a running 3 [out.log] [out.log:pending]']);
  world.folder.remove('a/out.log');
  world.folder.write('a/result.json', completed);
  await agent.deliver();
  expect(world.summary()).toEqual(['a completed 4 [out.log] [out.log:vanished]']);
});

test('the end of a session ships what changed since the last snapshot, and nothing else', async () => {
  const { world, agent } = await open({ 'out.log': 'one', 'same.txt': 's' });
  await later(world, agent, snapshotEveryMs);
  world.folder.append('a/out.log', ' two');
  world.folder.write('a/result.json', completed);
  await agent.deliver();
  expect(world.summary()).toEqual(['a completed 4 [out.log same.txt] []']);
  expect(world.store.versions(keyOf('same.txt'))).toHaveLength(1);
  expect(world.store.text(keyOf('out.log'))).toBe('one two');
});

test('a session that ends while its snapshot is on its way is completed', async () => {
  const { world, agent } = await open();
  await world.clock.advance(snapshotEveryMs);
  await agent.look();
  world.folder.write('a/result.json', completed);
  await agent.deliver();
  expect(world.log()).toMatchObject({ session: { status: 'completed' }, missing: [] });
  expect(world.store.versions(keyOf('out.log'))).toHaveLength(1);
});

test('a snapshot that was cut off by a crash is finished by the next start', async () => {
  const { world, agent } = await open();
  world.store.failCall(
    'put',
    2,
    new Failure({ kind: 'cancelled', code: 'AbortError', attempted: 'cut off' }),
    'after',
  );
  await later(world, agent, snapshotEveryMs);
  const next = world.start({ snapshotEveryMs });
  await next.look();
  await next.ship();
  expect(world.summary()).toEqual(['a running 2 [out.log] []']);
  expect(world.store.versions(keyOf('out.log'))).toHaveLength(1);
});

test('a directory that is no session yet gets no log', async () => {
  const world = new World({ parts: { firstBytes: 8 } });
  world.folder.write('a/out.log', 'one');
  const agent = world.start({ snapshotEveryMs });
  await agent.look();
  await later(world, agent, hourMs);
  expect(world.store.calls).toEqual([]);
});

test('a session that fell silent and goes on is running again', async () => {
  const { world, agent } = await open();
  await world.clock.advance(idleMs);
  await agent.deliver();
  expect(world.log().session.status).toBe('stalled');
  world.folder.append('a/out.log', ' two');
  await agent.look();
  await later(world, agent, hourMs);
  expect(world.summary()).toEqual(['a running 4 [out.log] []']);
});

test('the first snapshot wins the id, and its session keeps to what it won', async () => {
  const { world, agent } = await open();
  world.store.seed(log, 'another session', { origin: 'elsewhere' });
  await later(world, agent, snapshotEveryMs);
  const own = world.logKeys().find((key) => key !== log) ?? '';
  expect(own).toMatch(/\/a-[0-9a-f]{6}\.log$/);
  world.folder.append('a/out.log', ' two');
  await later(world, agent, snapshotEveryMs);
  world.folder.write('a/result.json', completed);
  await agent.deliver();
  expect(world.log(own).companions.map(({ key }) => key)).toEqual([
    `training-logs/companions/2026/01/${world.log(own).session.id}/out.log`,
  ]);
  expect(world.store.keys(keyOf(''))).toEqual([]);
});

test('the log of the last moment queues nothing', async () => {
  const { world, agent } = await open();
  const tracked = agent.tracker.sessions.get('a');
  if (!tracked) throw new Error('session a is not tracked');
  await agent.observer.snapshot(tracked);
  await agent.ship();
  expect(world.summary()).toEqual(['a running 1 [] [out.log:pending]']);
  await later(world, agent, snapshotEveryMs);
  expect(world.summary()).toEqual(['a running 2 [out.log] []']);
});

test('the first log of a session that goes on is told, and the final one; those in between are routine', async () => {
  const { world, agent } = await open();
  for (let round = 0; round < 3; round++) {
    world.folder.append('a/out.log', ' more');
    await later(world, agent, 2 * hourMs - 1);
  }
  world.folder.write('a/result.json', completed);
  await agent.deliver();
  expect(world.events.of('session.shipped').map(({ status }) => status)).toEqual(['running', 'completed']);
  expect(world.events.of('session.snapshot').map(({ status }) => status)).toEqual(['running', 'running']);
});

test('what is due is known, so that nobody looks in vain', async () => {
  const { world, agent } = await open();
  expect(due(agent)).toBe(snapshotEveryMs);
  await later(world, agent, snapshotEveryMs);
  // It rests: the next look is for its silence.
  expect(due(agent)).toBe(idleMs);
  await world.clock.advance(1);
  world.folder.write('a/big.bin', 'x'.repeat(20));
  await agent.look();
  expect(due(agent)).toBe(snapshotEveryMs + 1 + settleMs);
  await later(world, agent, settleMs);
  expect(due(agent)).toBe(2 * snapshotEveryMs);
});
