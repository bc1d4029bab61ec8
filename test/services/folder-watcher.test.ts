import { expect, onTestFinished, test } from 'vitest';
import type { FileSource } from '../../src/ports/file-source.ts';
import { idleMs, networkSettleMs, rescanMs, settleMs, type TestAgent, World } from '../support/services.ts';

const completed = '{"status":"completed"}';

/** A watcher that runs, and how often it looked at what, since it was last asked. Looking at `slow`, or opening it, takes that long. */
async function watching(
  prepare: (world: World) => void = () => undefined,
  slow: Readonly<Record<string, number>> = {},
) {
  const world = new World();
  prepare(world);
  const looked: string[] = [];
  const counted = (source: FileSource): FileSource =>
    new Proxy(source, {
      get(of, property) {
        const method: unknown = Reflect.get(of, property, of);
        if (typeof method !== 'function') return method;
        return async (...args: unknown[]) => {
          if (property === 'scan' || property === 'list') {
            looked.push(`${property} ${args[0] === '' ? '.' : args[0]}`);
            await world.clock.sleep(slow[String(args[0])] ?? 0);
          }
          const opensMs = property === 'open' ? slow[String(args[0])] : undefined;
          if (opensMs !== undefined) await world.clock.sleep(opensMs);
          return method.apply(of, args);
        };
      },
    });
  const agent = world.start({ source: counted });
  const run = agent.watcher.run();
  onTestFinished(async () => {
    const stopped = agent.watcher.stop();
    await world.clock.advance(1_000);
    await Promise.all([stopped, run]);
  });
  await world.clock.advance(0);
  const looks = (path?: string) =>
    looked.splice(0).filter((line) => path === undefined || line.endsWith(` ${path}`));
  return { world, agent, looks };
}

const phases = (agent: TestAgent) =>
  agent.journal.sessions('/watched').map(({ root, phase }) => `${root} ${phase}`);
const running = ({ folder }: World) => {
  folder.write('a/session.json', '{"id":"a"}');
  folder.write('a/out.log', 'one');
};

test('a folder that is missing at the start is told once and waited for', async () => {
  const { world, agent } = await watching(({ folder }) => {
    folder.write('a/result.json', completed);
    folder.setState({ state: 'missing' });
  });
  await world.clock.advance(600_000);
  expect(world.events.of('folder.missing')).toHaveLength(1);
  expect(phases(agent)).toEqual([]);
  world.folder.setState(undefined);
  await world.clock.advance(2_000);
  expect(world.events.of('folder.found')).toHaveLength(1);
  expect(phases(agent)).toEqual(['a shipping']);
});

test('a folder that goes away for a while ends no session', async () => {
  const { world, agent } = await watching(running);
  world.folder.setState({ state: 'unreadable', code: 'EACCES' });
  await world.clock.advance(3 * idleMs);
  expect(phases(agent)).toEqual(['a open']);
  expect(world.events.of('folder.missing')).toHaveLength(1);
  world.folder.setState(undefined);
  world.folder.write('a/result.json', completed);
  await world.clock.advance(rescanMs);
  expect(phases(agent)).toEqual(['a shipping']);
});

test('a folder that was removed and made again is looked at as a whole at once; its sessions are new', async () => {
  const { world, agent } = await watching(running);
  world.folder.recreateFolder();
  running(world);
  world.folder.write('a/result.json', completed);
  await world.clock.advance(rescanMs);
  expect(world.events.of('folder.replaced')).toHaveLength(1);
  await agent.ship();
  const statuses = world.logKeys().map((key) => world.log(key).session.status);
  expect(statuses.sort()).toEqual(['completed', 'stalled']);
});

test('a hint is looked at within a moment, and only where it points', async () => {
  const { world, agent, looks } = await watching((made) => {
    running(made);
    made.folder.write('b/session.json', '{}');
  });
  await world.clock.advance(rescanMs / 10);
  looks();
  world.folder.append('a/out.log', ' two');
  world.folder.write('a/result.json', completed);
  await world.clock.advance(200);
  expect(looks()).toEqual(['scan a']);
  expect(phases(agent)).toContain('a open');
  await world.clock.advance(settleMs);
  expect(phases(agent)).toContain('a shipping');
});

test('what no hint told is found by the rescan', async () => {
  const { world, agent } = await watching(running);
  world.folder.emitHints = false;
  world.folder.write('a/result.json', completed);
  world.folder.write('b/result.json', completed);
  await world.clock.advance(rescanMs + settleMs);
  expect(phases(agent)).toEqual(['a shipping', 'b shipping']);
});

test('a rescan finds late files of sessions that are not watched any more', async () => {
  const { world, agent } = await watching(running);
  world.folder.write('a/result.json', completed);
  await world.clock.advance(rescanMs);
  await agent.ship();
  expect([...world.folder.watched]).toEqual([]);
  world.folder.write('a/late.txt', 'late');
  await world.clock.advance(rescanMs + settleMs);
  await agent.ship();
  expect(world.summary()).toEqual(['a completed 3 [late.txt out.log] []']);
});

test('a storm of hints costs a bounded number of looks', async () => {
  const { world, looks } = await watching(running, { a: 10 });
  looks();
  for (let change = 0; change < 1_000; change++) {
    world.folder.append('a/out.log', '.');
    await world.clock.advance(10);
  }
  // Ten seconds; a look takes 10 ms and is followed by 990 ms of rest.
  const count = looks('a').length;
  expect(count).toBeGreaterThan(5);
  expect(count).toBeLessThan(15);
});

test('a session that is the whole folder is not looked at more often than its size allows', async () => {
  const { world, looks } = await watching(
    ({ folder }) => {
      folder.write('session.json', '{}');
      folder.write('out.log', 'one');
    },
    { '': 100 },
  );
  looks();
  for (let change = 0; change < 100; change++) {
    world.folder.append('out.log', '.');
    await world.clock.advance(1_000);
  }
  expect(looks().filter((look) => look.startsWith('scan')).length).toBeLessThan(12);
});

test('a large directory that rests does not delay the others', async () => {
  const { world, agent } = await watching(
    (made) => {
      running(made);
      made.folder.write('b/session.json', '{}');
    },
    { a: 500 },
  );
  await world.clock.advance(rescanMs);
  world.folder.append('a/out.log', '.');
  await world.clock.advance(2_000);
  world.folder.append('a/out.log', '.');
  await world.clock.advance(2_000);
  world.folder.write('b/result.json', completed);
  await world.clock.advance(settleMs + 1_000);
  expect(phases(agent)).toEqual(['a open', 'b shipping']);
});

test('what settles while it is still being looked at does not wait for the rescan', async () => {
  const { world, agent } = await watching(running, { 'a/result.json': 2 * settleMs });
  await world.clock.advance(rescanMs);
  world.folder.append('a/out.log', '.');
  world.folder.write('a/result.json', completed);
  await world.clock.advance(4 * settleMs);
  expect(phases(agent)).toEqual(['a shipping']);
});

test.each(['a', 'a/result.json'])(
  'what vanishes while it settles (%s) is not searched for again and again',
  async (path) => {
    const { world, looks } = await watching(running);
    world.folder.write('a/result.json', completed);
    await world.clock.advance(100);
    world.folder.remove(path);
    await world.clock.advance(1_000);
    looks();
    await world.clock.advance(20 * rescanMs);
    expect(looks('.').length).toBeLessThan(30);
  },
);

test('a directory that cannot be read is not searched again and again', async () => {
  const { world, looks } = await watching(running);
  world.folder.write('a/result.json', completed);
  await world.clock.advance(100);
  world.folder.failDirectory('a', 'EACCES');
  await world.clock.advance(1_000);
  looks();
  await world.clock.advance(20 * rescanMs);
  expect(looks('a').length).toBeLessThan(50);
});

test('the death of a process is seen in seconds, without a hint', async () => {
  const { world, agent } = await watching((made) => {
    made.processes.start(42, made.clock.nowMs());
    made.folder.write('a/session.pid', '42');
    made.folder.write('a/session.json', '{"id":"a"}');
  });
  world.folder.emitHints = false;
  await world.clock.advance(5_000);
  world.processes.kill(42);
  await world.clock.advance(4_000 + settleMs);
  expect(phases(agent)).toEqual(['a shipping']);
});

test('silence is noticed when it is long enough, without a hint', async () => {
  const { world, agent } = await watching(running);
  await world.clock.advance(idleMs - 1_000);
  expect(phases(agent)).toEqual(['a open']);
  await world.clock.advance(3_000);
  expect(phases(agent)).toEqual(['a shipping']);
});

test('draining is answered at once, also while a directory rests: every open session gets its log as it is', async () => {
  const { world, agent } = await watching(running, { a: 1_000 });
  await world.clock.advance(10_000);
  world.folder.append('a/out.log', ' two');
  await world.clock.advance(5_000);
  world.folder.append('a/out.log', ' three');
  await world.clock.advance(5_000);
  const drained = agent.watcher.drain({
    atMs: world.clock.monotonicMs() + 25_000,
    signal: new AbortController().signal,
  });
  await world.clock.advance(100);
  await drained;
  await agent.ship();
  expect(world.summary()).toEqual(['a running 1 [] [out.log:pending]']);
  world.folder.write('a/result.json', completed);
  await world.clock.advance(rescanMs * 4);
  await agent.ship();
  expect(world.summary()).toEqual(['a completed 2 [out.log] []']);
});

test('draining writes no log of a running session for one that has ended; that settles and gets its final one', async () => {
  const { world, agent } = await watching((world) => {
    running(world);
    world.folder.write('a/result.json', completed);
  });
  await world.clock.advance(4_000 + settleMs);
  await agent.ship();
  expect(world.summary()).toEqual(['a completed 2 [out.log] []']);
  world.folder.append('a/out.log', ' two three');
  agent.watcher.lookAt('a');
  await world.clock.advance(500);
  expect(agent.tracker.sessions.get('a')?.state.at).toBe('sealing');
  const drained = drain(world, agent, 25_000);
  await world.clock.advance(100);
  await drained;
  await agent.ship();
  expect(world.log().session.status).toBe('completed');
  await world.clock.advance(10_000);
  await agent.ship();
  const statuses = world.store.versions(world.logKeys()[0] ?? '').map((_, at) => world.log(undefined, at));
  expect(new Set(statuses.map(({ session }) => session.status))).toEqual(new Set(['completed']));
  expect(world.log()).toMatchObject({ companions: [{ bytes: 13 }], missing: [] });
});

test('an ended session that would not come to rest before the deadline gets its log as it is', async () => {
  const { world, agent } = await watching((world) => {
    world.folder.setNetwork(true);
    running(world);
  });
  await world.clock.advance(rescanMs * 10);
  world.folder.write('a/result.json', completed);
  world.folder.append('a/out.log', ' two');
  agent.watcher.lookAt('a');
  await world.clock.advance(500);
  expect(phases(agent)).toEqual(['a open']);
  expect(world.events.of('session.sealed')).toHaveLength(1);
  const drained = drain(world, agent, 25_000);
  await world.clock.advance(100);
  await drained;
  await agent.ship();
  expect(world.summary()).toEqual(['a completed 1 [] [out.log:changing]']);
});

function drain(world: World, agent: TestAgent, timeoutMs: number): Promise<void> {
  const atMs = world.clock.monotonicMs() + timeoutMs;
  return agent.watcher.drain({ atMs, signal: new AbortController().signal });
}

test('what is old at the first look has rested already, but not on a network file system', async () => {
  for (const isNetwork of [false, true]) {
    const { world, agent } = await watching(({ folder, clock }) => {
      folder.setNetwork(isNetwork);
      folder.write('a/out.log', 'one');
      folder.write('a/result.json', completed);
      clock.setWall(clock.nowMs() + 300_000);
    });
    expect(phases(agent)).toEqual([isNetwork ? 'a open' : 'a shipping']);
    await world.clock.advance(networkSettleMs);
    expect(phases(agent)).toEqual(['a shipping']);
  }
});
