import { expect, test } from 'vitest';
import { MemoryLeases } from '../fakes/memory-leases.ts';
import { type TestAgent, World } from '../support/services.ts';

const because = 'the pod is going';
const timeoutMs = 300_000;
const quietMs = 30_000;
const lastCallAfterMs = 240_000;

/** A running session `a` of one log, that was looked at, on a host that is told to end. */
async function told(
  by: string | undefined,
  before: (world: World) => void = () => undefined,
): Promise<{ world: World; agent: TestAgent }> {
  const world = new World();
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', 'one');
  before(world);
  const agent = world.start();
  await agent.look();
  await world.clock.advance(60_000);
  await agent.look();
  await agent.depart(by, timeoutMs);
  await agent.look();
  await agent.ship();
  return { world, agent };
}

const stateOf = (agent: TestAgent) => agent.tracker.sessions.get('a')?.state.at;
const sealed = (world: World) =>
  world.events.of('session.sealed').map(({ status, by }) => `${status} by ${by}`);

/** So much later, looked at each time that something is due, and shipped. */
async function later(world: World, agent: TestAgent, ms: number): Promise<void> {
  const endMs = world.clock.monotonicMs() + ms;
  await agent.look();
  for (;;) {
    const nowMs = world.clock.monotonicMs();
    const { tops, nextMs } = agent.tracker.sessions.due(nowMs);
    if (tops.size > 0) await agent.look();
    await agent.ship();
    const stepMs = Math.min(Math.max(nextMs - nowMs, tops.size > 0 ? 50 : 1), endMs - nowMs);
    if (stepMs <= 0) break;
    await world.clock.advance(stepMs);
  }
  await agent.look();
  await agent.ship();
}

test('on a host that stays a signal seals nothing, however long the session is silent', async () => {
  const { world, agent } = await told(undefined);
  await later(world, agent, timeoutMs);
  expect(sealed(world)).toEqual([]);
  expect(world.events.of('host.going')).toEqual([]);
  expect(world.store.calls).toEqual([]);
});

test('what is there is sent at once, and what nobody touches is interrupted and complete', async () => {
  const { world, agent } = await told(because);
  expect(world.events.of('host.going')).toEqual([{ because, quietMs }]);
  expect(world.summary()).toEqual(['a running 2 [out.log] []']);
  await later(world, agent, quietMs - 1);
  expect(sealed(world)).toEqual([]);
  await later(world, agent, 1);
  expect(sealed(world)).toEqual([`interrupted by ${because}`]);
  expect(world.summary()).toEqual(['a interrupted 3 [out.log] []']);
  expect(world.log().session).toMatchObject({ sealedBy: because, endedAt: '2026-01-02T03:04:05.000Z' });
  // Nobody waits for it any more.
  expect(agent.uploader.isIdle).toBe(true);
});

test('last words are waited for, and what they say of the end counts', async () => {
  const { world, agent } = await told(because);
  for (let word = 0; word < 4; word++) {
    world.folder.append('a/out.log', ' checkpoint');
    await later(world, agent, quietMs - 1);
    expect(stateOf(agent)).toBe('open');
  }
  world.folder.write('a/result.json', '{"status":"cancelled"}');
  await later(world, agent, 5_000);
  expect(world.log()).toMatchObject({
    session: { status: 'cancelled', sealedBy: 'result.json' },
    missing: [],
  });
});

test('a word after the seal takes it back, and the end that it tells of is the one that counts', async () => {
  const { world, agent } = await told(because);
  await later(world, agent, quietMs);
  expect(world.log().session.status).toBe('interrupted');
  world.folder.append('a/out.log', ' more');
  await later(world, agent, 1_000);
  expect(stateOf(agent)).toBe('open');
  world.folder.write('a/_SUCCESS', '');
  await later(world, agent, 5_000);
  expect(world.log()).toMatchObject({
    session: { status: 'completed' },
    companions: [{}, { bytes: 8 }],
    missing: [],
  });
});

test.each<[string, (world: World) => void]>([
  ['it is written to', () => undefined],
  [
    'a process in view holds a file open',
    ({ folder, processes }) => {
      const stat = folder.statAt('a/out.log');
      processes.openFiles.add(`${stat?.dev}:${stat?.ino}`);
    },
  ],
  [
    'its process lives',
    ({ folder, processes, clock }) => {
      processes.start(42, clock.nowMs());
      folder.write('a/session.pid', '42');
    },
  ],
])(
  'while %s, it is sealed at the last call only, and its log never claims to be complete',
  async (why, use) => {
    const { world, agent } = await told(because, use);
    const isWritten = why === 'it is written to';
    const write = () => isWritten && world.folder.append('a/out.log', ' more');
    for (let atMs = 0; atMs < lastCallAfterMs - 10_000; atMs += 10_000) {
      write();
      await later(world, agent, 10_000);
    }
    expect(sealed(world)).toEqual([]);
    write();
    await later(world, agent, 20_000);
    expect(sealed(world)).toEqual([`interrupted by ${because}`]);
    const first = world.log();
    expect(first.session).toMatchObject({ status: 'interrupted', sealedBy: because });
    expect(first.missing).toEqual([{ path: '.', reason: 'changing' }]);
    expect(first.companions.map(({ path }) => path)).toContain('out.log');
    // It is stayed for.
    expect(agent.uploader.isIdle).toBe(false);
    expect(agent.tracker.sessions.unfinished()).toHaveLength(1);

    world.folder.append('a/out.log', ' last');
    await later(world, agent, 10_000);
    const last = world.log();
    expect(last).toMatchObject({ session: { status: 'interrupted' }, missing: first.missing });
    expect(last.companions.find(({ path }) => path === 'out.log')?.bytes).toBe(
      world.folder.statAt('a/out.log')?.sizeBytes,
    );
    expect(sealed(world)).toHaveLength(1);
  },
);

test('a result after the last call makes its log complete', async () => {
  const { world, agent } = await told(because);
  world.folder.append('a/out.log', ' more');
  await later(world, agent, lastCallAfterMs - 10_000);
  expect(world.log().session.status).toBe('interrupted');
  world.folder.append('a/out.log', ' more');
  await later(world, agent, 12_000);
  expect(world.log().missing).toEqual([{ path: '.', reason: 'changing' }]);
  world.folder.write('a/result.json', '{"status":"failed"}');
  await later(world, agent, 5_000);
  expect(world.log()).toMatchObject({ session: { status: 'failed' }, missing: [] });
});

test('what writes until the very end is assembled as it is, not waited for', async () => {
  const { world, agent } = await told(because);
  for (let atMs = 0; atMs < timeoutMs - 4_000; atMs += 1_000) {
    world.folder.append('a/out.log', '.');
    await later(world, agent, 1_000);
  }
  const { companions, missing } = world.log();
  expect(missing).toEqual([{ path: '.', reason: 'changing' }]);
  expect(companions[0]?.bytes).toBeGreaterThan(3 + (timeoutMs - 4_000) / 1_000 - 5);
  // Not a revision for each of a minute's words.
  expect(world.log().session.revision).toBeLessThan(60);
});

test.each<[string, (world: World) => void]>([
  ['left as it was', () => undefined],
  ['written to in the last second', ({ folder }) => folder.append('a/out.log', ' killed')],
])(
  'the next life looks again at what was sealed at the last call, %s, and then it is complete',
  async (_, meanwhile) => {
    const { world, agent } = await told(because);
    for (let atMs = 0; atMs < lastCallAfterMs + 10_000; atMs += 10_000) {
      world.folder.append('a/out.log', ' more');
      await later(world, agent, 10_000);
    }
    expect(world.log().missing).toEqual([{ path: '.', reason: 'changing' }]);
    await world.clock.advance(60_000);
    meanwhile(world);
    const next = world.start();
    await later(world, next, 10_000);
    const { session, companions, missing } = world.log();
    expect(session).toMatchObject({ status: 'interrupted', sealedBy: because });
    expect(companions).toMatchObject([
      { path: 'out.log', bytes: world.folder.statAt('a/out.log')?.sizeBytes },
    ]);
    expect(missing).toEqual([]);
    expect(stateOf(next)).toBe(undefined); // reason: at rest
    world.folder.append('a/out.log', ' resumed');
    await later(world, next, 1_000);
    expect(stateOf(next)).toBe('open');
  },
);

test.each<[string, boolean, string[]]>([
  ['nobody was seen here to write it', false, []],
  ['a process of this host had a file of it open', true, [`interrupted by ${because}`]],
])(
  'on a folder of several hosts, where %s, it ends with this one only if it is its own',
  async (_, isSeen, ends) => {
    const world = new World();
    world.folder.write('a/session.json', '{}');
    world.folder.write('a/out.log', 'one');
    const agent = world.start({ leases: new MemoryLeases(async () => true) });
    await agent.look();
    const stat = world.folder.statAt('a/out.log');
    if (isSeen) world.processes.openFiles.add(`${stat?.dev}:${stat?.ino}`);
    await agent.depart(because, timeoutMs);
    await agent.look();
    world.processes.openFiles.clear();
    await later(world, agent, lastCallAfterMs + 10_000);
    expect(sealed(world)).toEqual(ends);
  },
);
