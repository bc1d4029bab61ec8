import { expect, test } from 'vitest';
import { FileFailure } from '../../src/domain/failure.ts';
import { type StartOptions, type TestAgent, World } from '../support/services.ts';

const keyOf = (path: string) => `training-logs/companions/2026/01/a/${path}`;

/** A session whose companions are queued and not sent yet. */
async function queued(
  files: Readonly<Record<string, string>> = { 'out.log': 'hello' },
  options: { claims?: boolean; start?: StartOptions; reuseInodes?: boolean } = {},
): Promise<{ world: World; agent: TestAgent }> {
  const world = new World({ reuseInodes: options.reuseInodes ?? false });
  world.folder.claimsPossible = options.claims ?? true;
  const agent = world.start(options.start);
  writeSession(world, files);
  await agent.lookTwice();
  return { world, agent };
}

function writeSession(world: World, files: Readonly<Record<string, string>>): void {
  world.folder.write('a/session.json', '{"id":"a"}');
  for (const [path, text] of Object.entries(files)) world.folder.write(`a/${path}`, text);
  world.folder.write('a/result.json', '{"status":"completed"}');
}

test('a file that its owner deleted is sent from its claim', async () => {
  const { world, agent } = await queued();
  world.folder.remove('a/out.log');
  await agent.ship();
  expect(world.store.text(keyOf('out.log'))).toBe('hello');
  expect(world.summary()).toEqual(['a completed 2 [out.log] []']);
  expect(await world.folder.claims()).toEqual([]);
});

test('a session whose directory was deleted is sent from its claims', async () => {
  const { world, agent } = await queued({ 'out.log': 'hello', 'sub/b.txt': 'b' });
  world.folder.remove('a');
  await agent.ship();
  expect(world.summary()).toEqual(['a completed 2 [out.log sub/b.txt] []']);
});

test('a file that its owner deleted and that could not be claimed is named as vanished, once', async () => {
  const { world, agent } = await queued({ 'out.log': 'hello', 'b.txt': 'b' }, { claims: false });
  world.folder.remove('a/out.log');
  await agent.ship();
  expect(world.summary()).toEqual(['a completed 2 [b.txt] [out.log:vanished]']);
  expect(world.events.of('file.vanished')).toEqual([{ session: 'a', path: 'out.log' }]);
});

test('a file that vanished and came back is sent', async () => {
  const { world, agent } = await queued(undefined, { claims: false });
  world.folder.remove('a/out.log');
  await agent.ship();
  world.folder.write('a/out.log', 'back');
  await agent.deliver();
  expect(world.store.text(keyOf('out.log'))).toBe('back');
  expect(world.summary()).toEqual(['a completed 3 [out.log] []']);
});

test.each([true, false])(
  'a file that was renamed over while it waited is sent in the end (claims: %s)',
  async (claims) => {
    const { world, agent } = await queued(undefined, { claims });
    world.folder.replace('a/out.log', 'another');
    await agent.ship();
    await agent.deliver();
    expect(world.store.text(keyOf('out.log'))).toBe('another');
    expect(world.log()).toMatchObject({ companions: [{ path: 'out.log', bytes: 7 }], missing: [] });
    expect(await world.folder.claims()).toEqual([]);
  },
);

test.each([
  [true, false],
  [false, false],
  [true, true],
  [false, true],
])(
  'a directory that was made again while its session waited gives nothing to the old one (claims: %s, inodes reused: %s)',
  async (claims, reuseInodes) => {
    const { world, agent } = await queued({ 'out.log': 'the first' }, { claims, reuseInodes });
    world.folder.remove('a');
    world.folder.write('a/session.json', '{"id":"second"}');
    world.folder.write('a/out.log', 'the second');
    await agent.ship();
    if (claims) expect(world.store.text(keyOf('out.log'))).toBe('the first');
    else expect(world.store.keys(keyOf('out.log'))).toEqual([]);
    world.folder.write('a/result.json', '{"status":"completed"}');
    await agent.deliver();
    expect(world.store.versions(keyOf('out.log'))).toHaveLength(claims ? 1 : 0);
    expect(world.store.text('training-logs/companions/2026/01/second/out.log')).toBe('the second');
  },
);

test('a file that grows while it is read is tried again, and sent once it rests', async () => {
  const { world, agent } = await queued();
  let reads = 0;
  world.folder.beforeRead = (path) => {
    reads += 1;
    if (path === 'a/out.log' && reads === 1) world.folder.append('a/out.log', ' world');
  };
  await agent.ship();
  expect(world.store.keys(keyOf('out.log'))).toEqual([]);
  expect(world.events.of('upload.retry')).toMatchObject([{ path: 'out.log', attempt: 1, code: 'CHANGED' }]);
  await world.clock.advance(60_000);
  await agent.deliver();
  expect(world.store.text(keyOf('out.log'))).toBe('hello world');
  expect(world.store.versions(keyOf('out.log'))).toHaveLength(1);
  expect(world.summary()[0]).toMatch(/\[out\.log\] \[\]$/);
});

test('a file that was cut while it waited is sent as it is', async () => {
  const { world, agent } = await queued({ 'out.log': 'a long text' });
  world.folder.write('a/out.log', 'cut');
  await agent.ship();
  await agent.deliver();
  expect(world.store.text(keyOf('out.log'))).toBe('cut');
  expect(world.log()).toMatchObject({ companions: [{ bytes: 3 }], missing: [] });
});

test('a file that may not be read is parked with the reason that the system gave', async () => {
  const { world, agent } = await queued({ 'bad.txt': 'b', 'good.txt': 'good' });
  const denied = new FileFailure('unreadable', 'EACCES', 'opening file "a/bad.txt": EACCES', 'chmod o+r it');
  world.folder.failOpen('a/bad.txt', denied);
  await agent.ship();
  expect(world.summary()).toEqual(['a completed 2 [good.txt] [bad.txt:unreadable]']);
  expect(agent.journal.backlog('/watched').parked).toMatchObject([
    { code: 'EACCES', remedy: 'chmod o+r it' },
  ]);
});

test('no more files are under way at a time than transfers are allowed', async () => {
  const names = Array.from({ length: 12 }, (_, n) => `f${n}.txt`);
  const files = Object.fromEntries(names.map((name) => [name, name]));
  const { world, agent } = await queued(files, { start: { concurrency: 3 } });
  let most = 0;
  world.folder.beforeRead = () => {
    most = Math.max(most, world.folder.openFiles);
  };
  await agent.ship();
  expect(most).toBe(3);
  expect(world.log().companions).toHaveLength(12);
  expect(world.folder.openFiles).toBe(0);
});

test('a session whose destination hangs does not keep another from being looked at and queued', async () => {
  const { world, agent } = await queued();
  const resume = world.store.pause();
  const shipping = agent.ship();
  world.folder.write('b/result.json', '{"status":"completed"}');
  await agent.lookTwice();
  expect(agent.journal.dueSessions('/watched', world.clock.monotonicMs(), 9)).toHaveLength(2);
  resume();
  await shipping;
  expect(world.summary()).toHaveLength(2);
});
