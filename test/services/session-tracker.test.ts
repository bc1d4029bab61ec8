import { expect, test } from 'vitest';
import type { FileSource } from '../../src/ports/file-source.ts';
import { idleMs, rescanMs, settleMs, type TestAgent, World } from '../support/services.ts';

const completed = '{"status":"completed"}';
const names = (agent: TestAgent) =>
  agent.tracker.sessions
    .all()
    .map(({ root }) => root)
    .sort();
/** Root and state of every session that is in the journal. */
const begun = (agent: TestAgent) =>
  agent.journal.sessions('/watched').map(({ root, kind, phase }) => `${root || '.'} ${kind} ${phase}`);

function run(paths: readonly string[], options: Parameters<World['start']>[0] = {}) {
  const world = new World();
  for (const path of paths) world.folder.write(path, path.endsWith('result.json') ? completed : 'x');
  return { world, agent: world.start(options) };
}

test('a directory without a native file is a session by its name only once it has ended or fallen silent', async () => {
  const { world, agent } = run(['run/out.log', 'marked/out.log', 'marked/_SUCCESS']);
  world.folder.write('marked/_SUCCESS', '');
  await agent.look();
  expect(begun(agent)).toEqual(['marked directory open']);
  await world.clock.advance(idleMs);
  await agent.deliver();
  expect(world.summary()).toEqual(['marked completed 1 [_SUCCESS out.log] []', 'run stalled 2 [out.log] []']);
});

test('a directory below which a session shows up is no candidate any more', async () => {
  const { world, agent } = run(['a/notes.txt']);
  await agent.look();
  expect(names(agent)).toEqual(['a']);
  world.folder.write('a/b/session.json', '{}');
  await agent.look();
  expect(names(agent)).toEqual(['a/b']);
  await world.clock.advance(idleMs);
  await agent.deliver();
  expect(begun(agent)).toEqual(['a/b directory shipped']);
});

test('native sessions nest: each file belongs to the innermost', async () => {
  const { world, agent } = run(['a/session.json', 'a/out.log', 'a/result.json']);
  for (const path of ['b/session.json', 'b/out.log', 'b/result.json'])
    world.folder.write(`a/${path}`, path.endsWith('result.json') ? completed : '{}');
  await agent.deliver();
  expect(world.summary().sort()).toEqual([
    'a completed 1 [out.log session.json] []',
    'a/b completed 1 [out.log] []',
  ]);
});

test('a checkpoint never starts a session inside another; a version of a run does', async () => {
  const { world, agent } = run([
    'a/result.json',
    'a/checkpoint-10/result.json',
    'a/rank_0/result.json',
    'a/eval/result.json',
    'a/version_0/result.json',
    'a/version_1/result.json',
  ]);
  await agent.deliver();
  expect(
    world
      .logKeys()
      .map((key) => world.log(key).session.name)
      .sort(),
  ).toEqual(['a', 'a/version_0', 'a/version_1']);
});

test('the watched directory itself may be the session', async () => {
  const { world, agent } = run(['session.json', 'out.log', 'sub/b.txt', 'result.json']);
  await agent.deliver();
  expect(world.summary()).toEqual(['/watched completed 1 [out.log session.json sub/b.txt] []']);
});

test('a glob says where sessions start, and nothing else does', async () => {
  const { world, agent } = run(
    ['x/1/result.json', 'x/1/out.log', 'x/2/out.log', 'y/result.json', 'loose.json'],
    {
      sessions: '*/*/',
    },
  );
  await world.clock.advance(idleMs);
  await agent.deliver();
  expect(world.summary().sort()).toEqual(['x/1 completed 1 [out.log] []', 'x/2 stalled 2 [out.log] []']);
  expect(agent.tracker.notes.loose().map(({ path }) => path)).toEqual(['loose.json', 'y/result.json']);
});

test('a root stays one when what made it one is deleted', async () => {
  const { world, agent } = run([]);
  world.folder.write('a/b/session.json', '{"id":"ab"}');
  world.folder.write('a/b/out.log', 'x');
  await agent.look();
  world.folder.remove('a/b/session.json');
  world.folder.write('a/b/_FAILED', '');
  await world.start().deliver();
  expect(world.summary()).toEqual(['a/b failed 1 [_FAILED out.log] []']);
});

test('files straight in the folder: a session by what it holds, a log, and what belongs to none', async () => {
  const { world, agent } = run(['notes.txt', 'config.json']);
  world.folder.write('run.json', '{"id":"one","startedAt":"2026-01-01T00:00:00Z","status":"completed"}');
  world.folder.write('train.log', 'epoch 1');
  await agent.look();
  expect(begun(agent)).toEqual(['run.json file shipping', 'train.log file open']);
  await world.clock.advance(idleMs);
  await agent.deliver();
  expect(world.summary()).toEqual(['run.json completed 1 [] []', 'train.log stalled 2 [train.log] []']);
  expect(agent.tracker.notes.loose().map(({ path }) => path)).toEqual(['config.json', 'notes.txt']);
  await agent.tracker.revisit('empty', new AbortController().signal);
  world.folder.mkdir('empty');
  await agent.tracker.revisit('empty', new AbortController().signal);
  expect(agent.tracker.notes.loose()).toHaveLength(2);
});

test('a one-file session that is written anew and renamed into place stays the same session', async () => {
  const world = new World();
  world.folder.write('run.json', '{"id":"one","status":"running"}');
  const agent = world.start();
  await agent.look();
  world.folder.replace('run.json', '{"id":"one","status":"completed"}');
  await agent.deliver();
  world.folder.replace('run.json', '{"id":"one","status":"completed","metrics":{"loss":1}}');
  await world.start().deliver();
  expect(world.summary()).toEqual(['run.json completed 2 [] []']);
  expect(world.log().results).toMatchObject({ metrics: { loss: 1 } });
  world.folder.replace('run.json', '{"id":"two","status":"completed"}');
  await world.start().deliver();
  expect(world.summary()).toEqual(['run.json completed 2 [] []', 'run.json completed 1 [] []']);
});

test.each([false, true])(
  'a directory that was removed and made again is another session (inodes reused: %s)',
  async (reuseInodes) => {
    const world = new World({ reuseInodes });
    world.folder.write('a/session.json', 'x');
    world.folder.write('a/out.log', 'x');
    const agent = world.start();
    await agent.look();
    world.folder.remove('a');
    world.folder.write('a/session.json', '{}');
    world.folder.write('a/new.log', 'second');
    world.folder.write('a/result.json', completed);
    await agent.deliver();
    expect(world.summary().sort()).toEqual([
      'a completed 1 [new.log] []',
      'a stalled 2 [] [out.log:vanished session.json:vanished]',
    ]);
  },
);

test('a root that is away for a while and comes back is the same session', async () => {
  const { world, agent } = run(['a/session.json', 'a/out.log']);
  await agent.look();
  world.folder.rename('a', '.hidden');
  await agent.look();
  await world.clock.advance(idleMs - 1);
  await agent.look();
  world.folder.rename('.hidden', 'a');
  world.folder.write('a/result.json', completed);
  await agent.deliver();
  expect(begun(agent)).toEqual(['a directory shipped']);
  expect(world.summary()).toEqual(['a completed 1 [out.log session.json] []']);
  expect(world.events.of('session.vanished')).toEqual([]);
});

test('a root that stays away is given up: what was known of it is shipped; back later, it goes on', async () => {
  const { world, agent } = run(['a/session.json', 'a/out.log']);
  await agent.look();
  world.folder.rename('a', '.hidden');
  await agent.look();
  await world.clock.advance(idleMs);
  await agent.deliver();
  expect(world.summary()).toEqual(['a stalled 2 [] [out.log:vanished session.json:vanished]']);
  world.folder.rename('.hidden', 'a');
  world.folder.write('a/result.json', completed);
  await agent.deliver();
  expect(world.logKeys()).toHaveLength(1);
  expect(world.log()).toMatchObject({ session: { status: 'completed' }, missing: [] });
});

test('a directory that cannot be read keeps its session, and is told once', async () => {
  const { world, agent } = run(['a/session.json', 'a/out.log']);
  await agent.look();
  world.folder.failDirectory('a', 'EACCES');
  for (let hour = 0; hour < 5; hour++) {
    await world.clock.advance(3_600_000);
    await agent.look();
  }
  expect(begun(agent)).toEqual(['a directory open']);
  expect(world.events.of('folder.problem')).toHaveLength(1);
  world.folder.failDirectory('a', undefined);
  world.folder.write('a/result.json', completed);
  await agent.deliver();
  expect(world.summary()).toEqual(['a completed 1 [out.log session.json] []']);
});

test('at the first look, old sessions are left to backfill; one that changes later is not', async () => {
  const { world } = run(['old/session.json', 'old/out.log', 'older/session.json', 'older/out.log']);
  const weekMs = 7 * 24 * 3_600_000;
  await world.clock.advance(weekMs + 1);
  world.folder.write('new/result.json', completed);
  const agent = world.start({ ignoreOlderThanMs: weekMs });
  await agent.deliver();
  expect(agent.tracker.skipped).toBe(2);
  expect(world.summary()).toEqual(['new completed 1 [] []']);
  world.folder.write('old/result.json', completed);
  const next = world.start({ ignoreOlderThanMs: weekMs });
  await next.deliver();
  await world.clock.advance(rescanMs);
  await next.deliver();
  expect(begun(next)).toEqual(
    ['old directory shipped', 'older directory skipped', 'new directory shipped'].sort(),
  );
  await world.start({ includeSkipped: true }).deliver();
  expect(world.summary()).toContain('older stalled 2 [out.log session.json] []');
});

test('what comes to rest during a long look at the folder does not wait for its end', async () => {
  const world = new World();
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    world.folder.write(`${name}/result.json`, completed);
    world.folder.write(`${name}/out.log`, 'x');
  }
  const sentWhile = new Map<string, string[]>();
  const slowly = (source: FileSource): FileSource => {
    const scan = async (at: string, signal: AbortSignal) => {
      sentWhile.set(
        at,
        agent.journal.sessions('/watched').flatMap(({ root, phase }) => (phase === 'shipping' ? [root] : [])),
      );
      await world.clock.advance(settleMs);
      return source.scan(at, signal);
    };
    return new Proxy(source, {
      get: (target, name) => {
        if (name === 'scan') return scan;
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
  const agent: TestAgent = world.start({ source: slowly });
  await agent.look();
  expect(sentWhile.get('e')).toContain('a');
});
