import { expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { World } from '../support/services.ts';

/** An ended session whose id nobody else can have, with these small files. */
function ended(files: Readonly<Record<string, string>>, world = new World()): World {
  for (const [path, text] of Object.entries(files)) world.folder.write(`a/${path}`, text);
  world.folder.write('a/result.json', '{"status":"completed"}');
  return world;
}

const three = { 'a.txt': 'a', 'b.txt': 'bb', 'c.txt': 'ccc' };

test('a few small files of a session with an id of its own cost one write each, and one for the log', async () => {
  const world = ended(three);
  await world.start({ concurrency: 1 }).deliver();
  const [log = ''] = world.logKeys();
  expect(world.store.calls.map((call) => call.split('/').at(-1))).toEqual([
    'a.txt',
    'b.txt',
    'c.txt',
    log.split('/').at(-1),
  ]);
  expect(world.summary()).toEqual(['a completed 1 [a.txt b.txt c.txt] []']);
});

test.each([
  ['that a trainer named', (world: World) => world.folder.write('a/session.json', '{"id":"a"}')],
  [
    'of many files',
    (world: World) => {
      for (let n = 0; n < 9; n++) world.folder.write(`a/${n}.txt`, 'x');
    },
  ],
  ['with a large file', (world: World) => world.folder.write('a/large.bin', 'x'.repeat(2 ** 20))],
])('a session %s is announced first', async (_, more) => {
  const world = ended(three, new World());
  more(world);
  await world.start({ bytesMax: 2 ** 22 }).deliver();
  const [log = ''] = world.logKeys();
  expect(world.store.calls[0]).toBe(`put ${log}`);
  expect(world.log(log, 0).missing.length).toBeGreaterThan(2);
});

test('when one of them fails, the session is announced before anything else is tried', async () => {
  const world = ended(three);
  const agent = world.start({ concurrency: 1 });
  const error = new Failure({ kind: 'transient', code: 'InternalError', attempted: 'writing: 500' });
  world.store.failCall('put', 2, error);
  await agent.deliver();
  await world.clock.advance(60_000);
  await agent.ship();
  const [log = ''] = world.logKeys();
  expect(world.log(log, 0).missing).toMatchObject([{ path: 'b.txt' }]);
  expect(world.log(log, 0).companions).toMatchObject([{ path: 'a.txt' }, { path: 'c.txt' }]);
  expect(world.summary()).toEqual(['a completed 2 [a.txt b.txt c.txt] []']);
});

for (const lost of [false, true]) {
  test(`killed in the middle, ${lost ? 'with its journal' : 'with the journal kept'}: what is there is found, and not sent again`, async () => {
    const world = ended(three);
    const killed = world.start({
      concurrency: 1,
      journal: (journal) => ({
        ...journal,
        recordUploaded: (sid, path, sent) => {
          if (path === 'b.txt') throw new Error('killed');
          journal.recordUploaded(sid, path, sent);
        },
      }),
    });
    await expect(killed.deliver()).rejects.toThrow('killed');
    const agent = world.start({ lost });
    await agent.deliver();
    const companions = world.store.keys('training-logs/companions/');
    expect(companions.map((key) => world.store.versions(key).length)).toEqual([1, 1, 1]);
    expect(world.log().companions).toHaveLength(3);
    expect(world.log().missing).toEqual([]);
  });
}

test('with a lost journal, a listed companion that changed is named as pending before it is replaced', async () => {
  const world = ended(three);
  await world.start().deliver();
  const [key = ''] = world.store.keys('training-logs/companions/');
  const before = world.store.calls.length;
  world.folder.write('a/a.txt', 'another');
  const agent = world.start({ lost: true, concurrency: 1 });
  await agent.deliver();
  await world.clock.advance(60_000);
  await agent.ship();
  expect(world.store.text(key)).toBe('another');
  const [log = ''] = world.logKeys();
  const calls = world.store.calls.slice(before);
  const replaced = calls.lastIndexOf(`put ${key}`);
  expect(calls.indexOf(`put ${log}`)).toBeLessThan(replaced);
  const named = world.store.versions(log).map((_, index) => world.log(log, index).missing.length);
  expect(named).toContain(1);
  expect(world.log(log).missing).toEqual([]);
});
