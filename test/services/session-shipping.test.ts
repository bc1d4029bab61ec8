import { expect, test } from 'vitest';
import { Failure, FileFailure } from '../../src/domain/failure.ts';
import { eventually } from '../support/eventually.ts';
import { settleMs, World } from '../support/services.ts';

const log = 'training-logs/2026/01/a.log';
const keyOf = (path: string, id = 'a') => `training-logs/companions/2026/01/${id}/${path}`;

/** A finished session `a` with these files. */
function finished(
  files: Readonly<Record<string, string>> = { 'out.log': 'hello' },
  world = new World(),
  id = 'a',
) {
  world.folder.write(`${id}/session.json`, JSON.stringify({ id }));
  for (const [path, text] of Object.entries(files)) world.folder.write(`${id}/${path}`, text);
  world.folder.write(`${id}/result.json`, '{"status":"completed"}');
  return world;
}

function failure(kind: Failure['kind'], code: string): Failure {
  return new Failure({ kind, code, attempted: `writing "k": ${code}`, remedy: 'ask the owner' });
}

test('a first log names all as pending, the companions follow small ones first, the final log lists them', async () => {
  const world = finished({ 'large.txt': 'large'.repeat(9), 'small.txt': 's', 'sub/middle.txt': 'middle' });
  const agent = world.start({ concurrency: 1 });
  await agent.deliver();
  expect(world.store.calls).toEqual([
    `put ${log}`,
    `put ${keyOf('small.txt')}`,
    `put ${keyOf('sub/middle.txt')}`,
    `put ${keyOf('large.txt')}`,
    `put ${log}`,
  ]);
  expect(world.log(log, 0).missing.map(({ path, reason }) => `${path} ${reason}`)).toEqual([
    'large.txt pending',
    'small.txt pending',
    'sub/middle.txt pending',
  ]);
  expect(world.summary()).toEqual(['a completed 2 [large.txt small.txt sub/middle.txt] []']);
  expect(await world.folder.claims()).toEqual([]);
  expect(world.folder.openFiles).toBe(0);
});

test('a session without companions is one log, written once', async () => {
  const world = finished({});
  await world.start().deliver();
  expect(world.store.calls).toEqual([`put ${log}`]);
  expect(world.summary()).toEqual(['a completed 1 [] []']);
});

test('the oldest session goes first', async () => {
  const world = new World();
  const agent = world.start();
  for (const id of ['z', 'm', 'b']) {
    finished({}, world, id);
    await agent.look();
  }
  await world.clock.advance(settleMs);
  await agent.look();
  const due = agent.journal.dueSessions('/watched', world.clock.monotonicMs(), 9);
  expect(due.map((sid) => agent.journal.rootOf(sid))).toEqual(['z', 'm', 'b']);
});

test('an answer that was lost is found to be an object, and is not sent again', async () => {
  const world = finished();
  const agent = world.start();
  world.store.failCall('put', 2, failure('transient', 'TimeoutError'), 'after');
  await agent.deliver();
  expect(world.store.keys()).toContain(keyOf('out.log'));
  await world.clock.advance(60_000);
  await agent.ship();
  expect(world.store.versions(keyOf('out.log'))).toHaveLength(1);
  expect(world.summary()).toEqual(['a completed 2 [out.log] []']);
});

test('a log whose answer was lost is found to be ours, and adopted', async () => {
  for (const call of [1, 3]) {
    const world = finished();
    const agent = world.start();
    world.store.failCall('put', call, failure('transient', 'TimeoutError'), 'after');
    await agent.deliver();
    await world.clock.advance(60_000);
    await agent.ship();
    expect(world.store.versions(log)).toHaveLength(2);
    expect(world.summary()).toEqual(['a completed 2 [out.log] []']);
    expect(world.events.of('session.renamed')).toEqual([]);
  }
});

test('an id that another session holds in the bucket is left alone: this one moves to an id of its own', async () => {
  const world = finished();
  world.store.seed(log, 'somebody else', { origin: 'another' });
  await world.start().deliver();
  expect(world.store.text(log)).toBe('somebody else');
  expect(world.store.versions(log)).toHaveLength(1);
  expect(world.store.keys(keyOf(''))).toEqual([]);
  const [key = ''] = world.logKeys().filter((other) => other !== log);
  expect(key).toMatch(/\/a-[0-9a-f]{6}\.log$/);
  expect(world.log(key)).toMatchObject({ session: { status: 'completed' }, missing: [] });
  expect(world.log(key).warnings[0]).toMatch(/id "a" is taken/);
  expect(world.events.of('session.renamed')).toHaveLength(1);
});

test('an object of somebody else under a companion key moves the session, too', async () => {
  const world = finished();
  world.store.seed(keyOf('out.log'), 'somebody else');
  await world.start().deliver();
  expect(world.store.versions(keyOf('out.log'))).toHaveLength(1);
  const key = world.logKeys().find((other) => other !== log) ?? '';
  expect(world.log(key).companions.map(({ path }) => path)).toEqual(['out.log']);
});

test.each([
  ['named by the trainer', 'a', 5_000, 2],
  ['generated', undefined, 0, 1],
])('where a first write is not atomic, an id %s (%s) waits %i ms', async (_, id, waitMs, revision) => {
  const world = new World({ createIsAtomic: false, createSettleMs: 5_000 });
  world.folder.write('a/session.json', JSON.stringify({ id }));
  world.folder.write('a/out.log', 'hello');
  world.folder.write('a/result.json', '{"status":"completed"}');
  const agent = world.start();
  await agent.lookTwice();
  const startedMs = world.clock.monotonicMs();
  await agent.ship();
  if (waitMs > 0) {
    expect(world.store.keys('training-logs/companions/')).toEqual([]);
    await world.clock.advance(waitMs - 1);
    await agent.ship();
    expect(world.store.keys('training-logs/companions/')).toEqual([]);
    await world.clock.advance(1);
    await agent.ship();
  }
  expect(world.clock.monotonicMs() - startedMs).toBe(waitMs);
  expect(world.summary()).toEqual([`a completed ${revision} [out.log] []`]);
});

test('where two first writes both succeeded, the one that lost moves on', async () => {
  const world = finished({ 'out.log': 'mine' }, new World({ createIsAtomic: false, createSettleMs: 5_000 }));
  const agent = world.start();
  await agent.deliver();
  world.store.seed(log, 'the later one', { origin: 'another' });
  await world.clock.advance(5_000);
  await agent.ship();
  expect(world.store.text(log)).toBe('the later one');
  expect(world.logKeys()).toHaveLength(2);
  // The new id is looked at as the first one was.
  await world.clock.advance(5_000);
  await agent.ship();
  const key = world.logKeys().find((other) => other !== log) ?? '';
  expect(world.log(key)).toMatchObject({ companions: [{ path: 'out.log' }], missing: [] });
});

test('a transient failure is tried again later, later each time, and counted', async () => {
  const world = finished();
  const agent = world.start();
  for (let call = 2; call <= 6; call++) world.store.failCall('put', call, failure('transient', 'SlowDown'));
  await agent.lookTwice();
  for (let minute = 0; minute < 10; minute++) {
    await agent.ship();
    await world.clock.advance(60_000);
  }
  expect(world.events.of('upload.retry').map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5]);
  expect(world.summary()).toEqual(['a completed 2 [out.log] []']);
  expect(world.events.of('session.shipped')).toHaveLength(1);
});

test('a permanent failure parks the file with cause and remedy; the final log names it', async () => {
  const world = finished({ 'bad.txt': 'b', 'good.txt': 'good' });
  const agent = world.start({ concurrency: 1 });
  world.store.failCall('put', 2, failure('permanent', 'KmsDisabled'));
  await agent.deliver();
  expect(world.summary()).toEqual(['a completed 2 [good.txt] [bad.txt:parked]']);
  expect(agent.journal.backlog('/watched').parked).toMatchObject([
    {
      session: 'a',
      path: 'bad.txt',
      code: 'KmsDisabled',
      cause: 'writing "k": KmsDisabled',
      remedy: 'ask the owner',
    },
  ]);
});

test('a parked file gets another chance at the next start', async () => {
  const world = finished({ 'bad.txt': 'b' });
  world.store.failCall('put', 2, failure('permanent', 'KmsDisabled'));
  await world.start().deliver();
  await world.start().deliver();
  expect(world.summary()[0]).toMatch(/\[bad\.txt\] \[\]$/);
});

test('a log that is refused for good parks its session, and only that one', async () => {
  const world = finished({}, finished({}), 'b');
  const agent = world.start();
  world.store.failNext('put', failure('permanent', 'InvalidKey'));
  await agent.deliver();
  expect(world.summary()).toEqual(['b completed 1 [] []']);
  expect(agent.journal.backlog('/watched').parked).toMatchObject([{ session: 'a', code: 'InvalidKey' }]);
  await world.start().deliver();
  expect(world.summary()).toEqual(['a completed 1 [] []', 'b completed 1 [] []']);
});

test('while the destination is blocked all wait, and no attempt is spent', async () => {
  const world = finished();
  const agent = world.start();
  for (let call = 2; call <= 8; call++) world.store.failCall('put', call, failure('blocked', 'ExpiredToken'));
  await agent.lookTwice();
  const shipping = agent.ship();
  await eventually(() => agent.gate.state());
  const [sid = 0] = agent.journal.dueSessions('/watched', world.clock.monotonicMs(), 1);
  expect(agent.journal.files(sid).map(({ attempts }) => attempts)).toEqual([0, 0, 0]);
  await eventually(async () => {
    await world.clock.advance(60_000);
    return agent.gate.state() === undefined;
  });
  await shipping;
  expect(world.summary()).toEqual(['a completed 2 [out.log] []']);
  expect(world.events.of('upload.retry')).toEqual([]);
});

test('one bad session does not delay another', async () => {
  const world = finished({ 'bad.txt': 'b' });
  finished({ 'good.txt': 'g' }, world, 'b');
  world.folder.failOpen('a/bad.txt', new FileFailure('changing', 'CHANGED', 'reading "bad.txt"', 'none'));
  await world.start().deliver();
  expect(world.summary()[1]).toBe('b completed 2 [good.txt] []');
});

test('a session whose every file is denied holds nobody up, and is parked once others were served', async () => {
  const names = ['1', '2', '3', '4', '5', '6', '7', '8'];
  const world = finished(Object.fromEntries(names.map((name) => [`${name}.txt`, name])));
  finished({ 'out.log': 'fine' }, world, 'b');
  const put = world.store.put.bind(world.store);
  world.store.put = async (request, signal) => {
    if (request.key.includes('/companions/2026/01/a/')) throw failure('blocked', 'AccessDenied');
    return put(request, signal);
  };
  const agent = world.start({ concurrency: 4 });
  await agent.lookTwice();
  const running = agent.uploader.run();
  for (let step = 0; step < 2000 && !agent.uploader.isShipped; step++) await world.clock.advance(500);
  await agent.uploader.stop();
  await running;
  expect(world.summary().toSorted()).toEqual([
    `a completed 2 [] [${names.map((name) => `${name}.txt:parked`).join(' ')}]`,
    'b completed 2 [out.log] []',
  ]);
});
