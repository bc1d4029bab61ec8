import { expect, test } from 'vitest';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { eventually } from '../support/eventually.ts';
import { janitorOf } from '../support/janitor.ts';
import { idleMs, type StartOptions, settleMs, type TestAgent, World } from '../support/services.ts';

const out = 'training-logs/companions/2026/01/a/out.log';
const dayMs = 86_400_000;

const inBucket = (world: World) => world.store.versions(out).map(({ bytes }) => bytes.toString());

/** Shipped, and then the power went: what of it was not on the disk yet is gone. */
async function afterPowerCut(sizeBytes = 3): Promise<World> {
  const world = new World();
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', 'one two three');
  world.folder.write('a/_SUCCESS', '');
  await delivered(world, world.start());
  expect(world.summary()).toEqual(['a completed 2 [_SUCCESS out.log] []']);
  world.folder.lose('a/out.log', sizeBytes);
  return world;
}

async function delivered(world: World, agent: TestAgent): Promise<void> {
  await agent.look();
  await world.clock.advance(settleMs);
  await agent.deliver();
}

async function booted(world: World, options: StartOptions = {}): Promise<TestAgent> {
  await world.clock.advance(dayMs);
  const agent = world.start({ bootedAtMs: world.clock.nowMs(), ...options });
  await world.clock.advance(60_000);
  await delivered(world, agent);
  return agent;
}

test.each([3, 0])(
  'of a file that lost bytes with the power and has %d the bucket keeps what it has',
  async (left) => {
    const world = await afterPowerCut(left);
    await booted(world);
    expect(inBucket(world)).toEqual(['one two three']);
    const { session, companions, missing, warnings } = world.log();
    expect([session.status, missing]).toEqual(['completed', []]);
    expect(companions).toMatchObject([{ path: '_SUCCESS' }, { path: 'out.log', bytes: 13 }]);
    expect(warnings).toEqual([
      expect.stringContaining(
        `out.log: 13 bytes of it arrived before this host was started, the disk has ${left}`,
      ),
    ]);
  },
);

test('the log says so once, and the session rests', async () => {
  const world = await afterPowerCut();
  const agent = await booted(world);
  const { revision } = world.log().session;
  await delivered(world, agent);
  await delivered(world, world.start({ bootedAtMs: world.clock.nowMs() - 60_000 }));
  expect(world.log().session.revision).toBe(revision);
});

test.each<[string, (world: World) => void, string]>([
  ['cut by a program', (world) => world.folder.write('a/out.log', 'one'), 'one'],
  ['appended to', (world) => world.folder.append('a/out.log', ' four'), 'one four'],
])('a file that was %s since the start is a change like any other', async (_, change, expected) => {
  const world = await afterPowerCut();
  const agent = await booted(world);
  await world.clock.advance(60_000);
  change(world);
  await delivered(world, agent);
  expect(inBucket(world).at(-1)).toBe(expected);
  expect(world.log().warnings).toEqual([]);
});

test('a file that was cut while the host ran is sent as it is', async () => {
  const world = await afterPowerCut();
  await world.clock.advance(dayMs);
  await delivered(world, world.start());
  expect(inBucket(world)).toEqual(['one two three', 'one']);
});

test('a running session keeps the longer one, too', async () => {
  const world = new World();
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', 'one two three');
  const snapshotEveryMs = 300_000;
  const agent = world.start({ snapshotEveryMs });
  await agent.look();
  await world.clock.advance(snapshotEveryMs);
  await delivered(world, agent);
  expect(inBucket(world)).toEqual(['one two three']);
  world.folder.lose('a/out.log', 3);
  await world.clock.advance(dayMs);
  const next = world.start({ snapshotEveryMs, bootedAtMs: world.clock.nowMs() });
  await world.clock.advance(60_000);
  world.folder.write('a/other.log', 'goes on');
  await delivered(world, next);
  await world.clock.advance(snapshotEveryMs);
  await delivered(world, next);
  expect(world.summary()).toEqual([expect.stringMatching(/^a running \d \[other\.log out\.log\] \[\]$/)]);
  expect(inBucket(world)).toEqual(['one two three']);
});

test('a claim that is let go at the start, of a file that had arrived, is no change of it', async () => {
  const world = new World();
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', 'one two three');
  world.folder.write('a/large.bin', 'x'.repeat(5000));
  world.folder.write('a/_SUCCESS', '');
  const first = world.start({ store: neverSending('large.bin') });
  await first.look();
  await world.clock.advance(settleMs);
  await first.lookTwice();
  void first.ship();
  // Claims are let go together, once the last file of the session has arrived.
  await eventually(() => inBucket(world).length > 0);
  world.folder.lose('a/out.log', 3);
  await world.clock.advance(dayMs);
  const agent = world.start({ bootedAtMs: world.clock.nowMs() });
  await world.clock.advance(60_000);
  await janitorOf(world, agent).prepare();
  await delivered(world, agent);
  expect(inBucket(world)).toEqual(['one two three']);
});

test('a host that is told to end right after its start has not forgotten by the next one', async () => {
  const world = await afterPowerCut();
  await world.clock.advance(dayMs);
  const bootedAtMs = world.clock.nowMs();
  const agent = world.start({ bootedAtMs, settleMs: 60_000 });
  await world.clock.advance(60_000);
  await agent.look();
  const tracked = agent.tracker.sessions.get('a');
  if (tracked) await agent.observer.snapshot(tracked, world.clock.monotonicMs() + 10_000);
  await agent.look();
  await agent.deliver();
  await delivered(world, world.start({ bootedAtMs }));
  expect(inBucket(world)).toEqual(['one two three']);
  expect(world.log().missing).toEqual([]);
});

test('a host whose clock comes up in the past keeps the longer one', async () => {
  const world = await afterPowerCut();
  const agent = world.start({ bootedAtMs: world.clock.nowMs() - 3_600_000 });
  const nowMs = world.clock.nowMs.bind(world.clock);
  world.clock.nowMs = () => nowMs() - 3_600_000 + 60_000;
  await delivered(world, agent);
  expect(inBucket(world)).toEqual(['one two three']);
});

test('a session that had ended by silence is not told as running because of it', async () => {
  const world = new World();
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', 'one two three');
  const first = world.start();
  await first.look();
  await world.clock.advance(idleMs);
  await delivered(world, first);
  world.folder.lose('a/out.log', 3);
  const agent = await booted(world);
  world.folder.write('a/other.log', 'more');
  await delivered(world, agent);
  await world.clock.advance(idleMs);
  await delivered(world, agent);
  await delivered(world, agent);
  const { length } = world.events.of('session.reopened');
  for (let n = 0; n < 3; n++) {
    await world.clock.advance(idleMs);
    await delivered(world, agent);
  }
  expect(world.events.of('session.reopened')).toHaveLength(length);
  expect(world.summary()).toEqual([expect.stringMatching(/^a stalled \d \[other\.log out\.log\] \[\]$/)]);
  expect(inBucket(world)).toEqual(['one two three']);
});

function neverSending(name: string) {
  return (store: ObjectStore): ObjectStore =>
    new Proxy(store, {
      get: (of, method) => {
        const value = Reflect.get(of, method);
        if (typeof value !== 'function') return value;
        return (...given: readonly [{ readonly key?: string }?, ...unknown[]]) =>
          method === 'put' && given[0]?.key?.endsWith(name)
            ? new Promise(() => undefined)
            : value.apply(of, given);
      },
    });
}
