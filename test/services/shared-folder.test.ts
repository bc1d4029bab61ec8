import { expect, test } from 'vitest';
import { FileFailure } from '../../src/domain/failure.ts';
import type { Lease } from '../../src/domain/lease.ts';
import { directoryIdentity } from '../../src/ports/file-source.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { leaseOf } from '../contracts/lease-store.ts';
import { MemoryLeases } from '../fakes/memory-leases.ts';
import { folder, idleMs, type StartOptions, type TestAgent, World } from '../support/services.ts';

const minute = 60_000;
const noSignal = new AbortController().signal;
const completed = '{"status":"completed"}';

/** One folder, two hosts. */
function makeFleet(paths: readonly string[] = ['run/session.json', 'run/out.log']) {
  const world = new World();
  const leases = new MemoryLeases(async (root) => (await world.folder.list(root, noSignal)) !== undefined);
  for (const path of paths) world.folder.write(path, path.endsWith('.json') ? '{}' : 'x');
  const host = (name: string, options: StartOptions = {}) => world.start({ host: name, leases, ...options });
  /** Time passes, and these hosts are alive in it. */
  const live = async (ms: number, ...alive: TestAgent[]) => {
    for (let left = ms; left > 0; left -= minute / 4) {
      await world.clock.advance(Math.min(left, minute / 4));
      for (const agent of alive) await agent.keeper?.round();
    }
  };
  const end = () => world.folder.write('run/result.json', completed);
  /** Key and number of versions. */
  const objects = () =>
    world.store.keys().map((key) => `${key.split('/').at(-1)} ${world.store.versions(key).length}`);
  /** The logs but for their revisions. */
  const ended = () => world.summary().map((line) => line.replace(/ \d+ \[/, ' ['));
  return { world, leases, host, live, end, ended, objects };
}

const phases = ({ journal }: TestAgent) =>
  journal.sessions(folder).map(({ root, phase }) => `${root} ${phase}`);
const heldBy = ({ tracker }: TestAgent, root = 'run') => tracker.sessions.get(root)?.heldBy;

/** The log of an open session as it is, as a drain ships it. */
async function snapshot(agent: TestAgent): Promise<void> {
  for (const tracked of agent.tracker.sessions.open()) await agent.observer.snapshot(tracked);
  await agent.ship();
}

test('of two hosts that find a session at once, one ships it and the other leaves it alone', async () => {
  const { world, host, end, objects, ended } = makeFleet();
  end();
  const hosts = [host('a'), host('b')];
  await Promise.all(hosts.map((agent) => agent.lookTwice()));
  await Promise.all(hosts.map((agent) => agent.ship()));
  const [winner, loser] = heldBy(hosts[0] as TestAgent) === undefined ? ['a', 'b'] : ['b', 'a'];
  expect(ended()).toEqual(['run completed [out.log] []']);
  expect(world.log().session.agent?.host).toBe(winner);
  expect(objects()).toContain('out.log 1');
  expect(objects()).toHaveLength(2);
  const other = hosts[loser === 'a' ? 0 : 1] as TestAgent;
  expect(other.journal.sessions(folder)).toEqual([]);
  expect(other.uploader.isIdle).toBe(true);
  expect(other.tracker.hasSeenWork).toBe(true);
});

test('what another host holds is named, and neither open nor waited for', async () => {
  const { world, host } = makeFleet();
  await host('a').look();
  const b = host('b');
  await b.look();
  expect(b.sharing.elsewhere()).toEqual([{ session: 'run', host: 'a' }]);
  expect(world.events.of('lease.held')).toEqual([{ session: 'run', host: 'a' }]);
  expect(b.tracker.sessions.unfinished()).toEqual([]);
  expect(b.tracker.openRoots().size).toBe(0);
  expect(b.uploader.isIdle).toBe(true);
});

test('a candidate has no lease before it is a session', async () => {
  const { world, leases, host, ended } = makeFleet(['run/out.log']);
  const [a, b] = [host('a'), host('b')];
  await a.look();
  await b.look();
  expect(leases.reads).toBe(0);
  await world.clock.advance(idleMs);
  await a.look();
  await b.look();
  expect(leases.history.map(({ root, number }) => `${root} ${number}`)).toEqual(['run 1']);
  await a.deliver();
  await b.deliver();
  expect(ended()).toEqual(['run stalled [out.log] []']);
});

test('heartbeats keep a session for as long as its host lives, and cost nothing in between', async () => {
  const { leases, host, live, world } = makeFleet();
  const [a, b] = [host('a'), host('b')];
  await a.look();
  await b.look();
  await live(60 * minute, a, b);
  await b.look();
  expect(heldBy(b)).toBe('a');
  expect(world.events.of('lease.taken')).toEqual([]);
  expect(leases.history.length).toBeGreaterThanOrEqual(60);
  expect(leases.history.length).toBeLessThan(90);
});

test('five minutes after the last heartbeat another host goes on under the same identity', async () => {
  const { world, host, live, end, objects, ended } = makeFleet();
  const [a, b] = [host('a'), host('b')];
  await a.look();
  await snapshot(a);
  const [key] = world.logKeys();
  await b.look();
  await live(4.9 * minute, b);
  await b.look();
  expect(heldBy(b)).toBe('a');
  await live(0.5 * minute, b);
  await b.look();
  expect(heldBy(b)).toBeUndefined();
  expect(world.events.of('lease.taken')).toEqual([{ session: 'run', from: 'a', because: 'silent' }]);
  end();
  await b.deliver();
  expect(world.logKeys()).toEqual([key]);
  expect(ended()).toEqual(['run completed [out.log] []']);
  expect(world.log().session.agent?.host).toBe('b');
  expect(objects()).toContain('out.log 1');
});

test('a host that was stopped past its lease sends nothing more, and leaves its jobs as they are', async () => {
  const { world, host, live, end, objects, ended } = makeFleet();
  const [a, b] = [host('a'), host('b')];
  end();
  await a.lookTwice();
  await b.look();
  await live(6.5 * minute, b);
  await b.deliver();
  const before = objects();
  expect(before).toContain('out.log 1');
  world.folder.write('run/late.log', 'late');
  await a.ship();
  await a.deliver();
  expect(objects()).toEqual(before);
  expect(world.events.of('lease.lost')).toEqual([{ session: 'run', host: 'b' }]);
  expect(phases(a)).toEqual(['run elsewhere']);
  expect(a.journal.files(1).map(({ path, state }) => `${path} ${state}`)).toContain('out.log pending');
  expect(a.uploader.isIdle).toBe(true);
  expect(a.journal.backlog(folder)).toMatchObject({ pendingFiles: 0, unsent: [] });
  await b.deliver();
  expect(ended()).toEqual(['run completed [late.log out.log] []']);
});

test('a host that is stopped in the middle of a pass finds out before its next write', async () => {
  const { world, host, live, end, ended } = makeFleet();
  const frozen = Promise.withResolvers<void>();
  const thaw = Promise.withResolvers<void>();
  const freezing = (store: ObjectStore): ObjectStore => ({
    ...bound(store),
    put: async (request, signal) => {
      const receipt = await store.put(request, signal);
      frozen.resolve();
      await thaw.promise;
      return receipt;
    },
  });
  const [a, b] = [host('a', { store: freezing }), host('b')];
  end();
  await a.lookTwice();
  await b.look();
  const shipping = a.ship();
  await frozen.promise;
  await live(6.5 * minute, b);
  await b.deliver();
  const written = world.store.keys().map((key) => world.store.versions(key).length);
  thaw.resolve();
  await shipping;
  expect(world.store.keys().map((key) => world.store.versions(key).length)).toEqual(written);
  expect(ended()).toEqual(['run completed [out.log] []']);
  expect(phases(a)).toEqual(['run elsewhere']);
});

test('a host that ends in order gives its sessions back, and nobody waits', async () => {
  const { world, host, live, end, ended } = makeFleet();
  const [a, b] = [host('a'), host('b')];
  await a.look();
  await snapshot(a);
  await b.look();
  await a.keeper?.stop();
  await live(1.1 * minute, b);
  end();
  await b.deliver();
  expect(world.events.of('lease.taken')).toEqual([{ session: 'run', from: 'a', because: 'released' }]);
  expect(ended()).toEqual(['run completed [out.log] []']);
});

test('a host that starts again goes on with what is its own, at once', async () => {
  const { world, host, end, ended } = makeFleet();
  await host('a').look();
  end();
  await host('a').deliver();
  expect(ended()).toEqual(['run completed [out.log] []']);
  expect(world.events.of('lease.taken')).toEqual([]);
});

test('a host that starts again after another took over leaves it alone, from its first pass on', async () => {
  const { host, live, end, objects, ended } = makeFleet();
  end();
  await host('a').lookTwice();
  const b = host('b');
  await b.look();
  await live(6.5 * minute, b);
  await b.look();
  const a = host('a');
  await a.ship();
  await a.deliver();
  expect(objects()).toEqual([]);
  expect(heldBy(a)).toBe('b');
  await b.deliver();
  expect(ended()).toEqual(['run completed [out.log] []']);
});

test('once it is shipped nobody beats for it; who sees it change takes it, and the log goes on', async () => {
  const { world, leases, host, live, end, objects, ended } = makeFleet();
  const [a, b] = [host('a'), host('b')];
  end();
  await a.deliver();
  await b.look();
  const { history, reads } = leases;
  const [written, read] = [history.length, reads];
  expect(history.at(-1)?.lease.state).toBe('done');
  await live(30 * minute, a, b);
  await a.look();
  await b.look();
  await host('c').look();
  expect(history.length).toBe(written);
  expect(leases.reads).toBe(read + 1);
  world.folder.write('run/late.log', 'late');
  await b.deliver();
  await a.deliver();
  expect(world.events.of('lease.taken')).toEqual([{ session: 'run', from: 'a', because: 'changed' }]);
  expect(ended()).toEqual(['run completed [late.log out.log] []']);
  expect(objects()).toEqual(expect.arrayContaining(['out.log 1', 'late.log 1']));
});

test('a session that goes to another host and comes back has one object a file and a log that counts on', async () => {
  const { world, host, live, end, objects, ended } = makeFleet();
  const [a, b] = [host('a'), host('b')];
  end();
  await a.deliver();
  await b.look();
  world.folder.append('run/out.log', ' and more');
  world.folder.write('run/b.log', 'b');
  await b.deliver();
  expect(ended()).toEqual(['run completed [b.log out.log] []']);
  await a.look();
  await live(minute, a);
  world.folder.write('run/c.log', 'c');
  await a.deliver();
  expect(world.log().companions.map(({ path }) => path)).toEqual(['b.log', 'c.log', 'out.log']);
  expect(world.log().missing).toEqual([]);
  const revisions = world.store
    .versions(world.logKeys()[0] ?? '')
    .map((_, at) => world.log(undefined, at).session.revision);
  expect(revisions).toEqual(revisions.map((_, at) => at + 1));
  expect(objects()).toEqual(expect.arrayContaining(['b.log 1', 'c.log 1', 'out.log 2']));
});

test('what was sent by another host meanwhile is not taken for what we sent before', async () => {
  const { world, host, live, end } = makeFleet();
  const [a, b] = [host('a'), host('b')];
  end();
  await a.deliver();
  await b.look();
  for (const [agent, other, text] of [
    [b, a, 'y'],
    [a, b, 'x'],
  ] as const) {
    await live(minute, a, b);
    world.folder.write('run/out.log', text);
    await agent.deliver();
    await other.look();
  }
  const [companion] = world.log().companions;
  const bytes = world.store.versions(companion?.key ?? '').map((version) => version.bytes.toString());
  expect(bytes).toEqual(['x', 'y', 'x']);
  expect(world.log().missing).toEqual([]);
});

test('what was shipped before anybody had looked at it again is done with after that look', async () => {
  const { leases, host, end } = makeFleet();
  end();
  await host('a').lookTwice();
  const a = host('a');
  await a.ship();
  expect(leases.history.at(-1)?.lease.state).toBe('held');
  await a.look();
  expect(leases.history.at(-1)?.lease).toMatchObject({ state: 'done', shape: expect.stringMatching(/./) });
});

test('a lease that cannot be read is a living host for five minutes, and then is passed', async () => {
  const { world, leases, host, live, end, ended } = makeFleet();
  leases.plant('run', 7, undefined, false);
  const b = host('b');
  end();
  await b.deliver();
  expect(world.summary()).toEqual([]);
  expect(b.sharing.elsewhere()).toEqual([{ session: 'run', host: 'an unknown host' }]);
  await live(6.5 * minute, b);
  await b.deliver();
  expect(ended()).toEqual(['run completed [out.log] []']);
  expect(leases.history[0]?.number).toBe(8);
});

const foreign: NonNullable<Lease['identity']> = {
  id: 'victim',
  key: 'training-logs/2026/01/victim.log',
  startedAtMs: Date.UTC(2026, 0, 2),
  startedBy: 'session.json',
  origin: 'ab'.repeat(16),
  unique: false,
  warnings: [],
};
const directoryOf = async (world: World) => {
  const run = await world.folder.list('run', noSignal);
  return run ? directoryIdentity(run.self.stat) : '';
};

test.each<[string, Partial<Lease>, boolean, string]>([
  ['of our own user', {}, true, 'victim'],
  ['of another user', {}, false, 'run-'],
  ['of another session', { root: 'other' }, true, 'run-'],
  ['of an earlier directory of that name', { directory: '999:0' }, true, 'run-'],
  ['of a start in the future', { identity: { ...foreign, startedAtMs: Date.UTC(2030, 0) } }, true, 'run-'],
])(
  'an identity in a lease %s is taken only when it is ours and of this session',
  async (_, change, trusted, id) => {
    const { world, leases, host, end, ended } = makeFleet();
    const directory = await directoryOf(world);
    const lease = leaseOf('a', { state: 'released', directory, identity: foreign, ...change });
    leases.plant('run', 1, lease, trusted);
    end();
    await host('b').deliver();
    expect(world.log().session.id.startsWith(id)).toBe(true);
    expect(ended()).toEqual(['run completed [out.log] []']);
  },
);

test('an identity that another session of ours has is not taken from a lease', async () => {
  const { world, leases, host, end, ended } = makeFleet(['run/out.log', 'own/session.json', 'own/out.log']);
  world.folder.write('own/session.json', '{"id":"victim"}');
  world.folder.write('own/result.json', completed);
  const b = host('b');
  await b.deliver();
  const lease = leaseOf('a', { state: 'released', directory: await directoryOf(world), identity: foreign });
  leases.plant('run', 1, lease);
  end();
  await b.deliver();
  expect(ended().sort()).toEqual(['own completed [out.log] []', 'run completed [out.log] []']);
});

test('where no lease can be kept the session is shipped all the same, and a person is told once', async () => {
  const { world, leases, host, ended } = makeFleet(['run/out.log', 'too/out.log']);
  for (const run of ['run', 'too']) world.folder.write(`${run}/result.json`, completed);
  leases.failWrites = new FileFailure('unreadable', 'EROFS', 'writing the lease', 'mount it to write');
  await host('a').deliver();
  expect(ended().sort()).toEqual(['run completed [out.log] []', 'too completed [out.log] []']);
  expect(world.events.of('lease.problem')).toMatchObject([{ code: 'EROFS', remedy: 'mount it to write' }]);
});

test('a holder that can neither write nor read its lease sends nothing until it can', async () => {
  const { world, leases, host, end, objects, ended } = makeFleet();
  const a = host('a');
  end();
  await a.lookTwice();
  const failure = new FileFailure('unreadable', 'EIO', 'the lease', 'look at the server');
  leases.failWrites = failure;
  leases.failReads = failure;
  await world.clock.advance(3 * minute);
  const ships = a.ship();
  await ships;
  expect(objects()).toEqual([]);
  leases.failReads = undefined;
  await world.clock.advance(minute);
  await a.ship();
  await world.clock.advance(minute);
  await a.ship();
  expect(ended()).toEqual(['run completed [out.log] []']);
});

test('many transfers that wake up at once ask for their lease once', async () => {
  const { world, leases, host, end } = makeFleet();
  const a = host('a');
  end();
  await a.lookTwice();
  await a.sharing.mayShip(1);
  const { key } = a.journal.shipment(1)?.identity ?? { key: '' };
  const before = leases.history.length;
  await world.clock.advance(4 * minute);
  await Promise.all(Array.from({ length: 10 }, () => a.sharing.assertMayWrite(key)));
  expect(leases.history.length).toBe(before + 1);
  await expect(a.sharing.assertMayWrite('somebody/elses.log')).rejects.toMatchObject({ code: 'LeaseLost' });
});

test('a session that is gone needs no lease any more', async () => {
  const { world, leases, host, live, ended } = makeFleet();
  const [a, b] = [host('a'), host('b')];
  await a.look();
  await b.look();
  world.folder.remove('run');
  await a.look();
  await b.look();
  await live(idleMs, a, b);
  await a.look();
  await b.look();
  await a.ship();
  await b.ship();
  expect(ended()).toEqual(['run stalled [] [out.log:vanished session.json:vanished]']);
  expect(leases.removed).toEqual(['run']);
  expect(b.sharing.elsewhere()).toEqual([]);
  const { reads } = leases;
  await live(10 * minute, a, b);
  expect(leases.reads).toBe(reads);
});

test('a folder that is not shared any more has no other hosts', async () => {
  const { world, host, live, end, ended } = makeFleet();
  end();
  await host('a').lookTwice();
  const b = host('b');
  await b.look();
  await live(6.5 * minute, b);
  await b.look();
  const a = host('a');
  await a.deliver();
  expect(phases(a)).toEqual(['run elsewhere']);
  expect(world.summary()).toEqual([]);
  await world.start({ host: 'a' }).deliver();
  expect(ended()).toEqual(['run completed [out.log] []']);
});

/** A class's methods are not its own properties. */
function bound(store: ObjectStore): ObjectStore {
  return {
    name: store.name,
    createIsAtomic: store.createIsAtomic,
    createSettleMs: store.createSettleMs,
    find: store.find.bind(store),
    get: store.get.bind(store),
    verify: store.verify.bind(store),
    put: store.put.bind(store),
    parts: store.parts,
    close: store.close.bind(store),
  };
}

test('what another host has shipped is not remembered, and is taken up again when it changes', async () => {
  const { world, leases, host, live, end, ended } = makeFleet();
  const [a, b] = [host('a'), host('b')];
  end();
  await a.deliver();
  for (let look = 0; look < 2; look++) await b.look();
  const remembered = () => b.tracker.sessions.all().map(({ root }) => root);
  expect(remembered()).toEqual([]);
  const { reads } = leases;
  await live(10 * minute, a, b);
  await b.look();
  expect(leases.reads).toBe(reads);
  expect(b.uploader.isIdle).toBe(true);
  world.folder.append('run/out.log', ' and more');
  await b.deliver();
  expect(ended()).toEqual(['run completed [out.log] []']);
  expect(world.log()).toMatchObject({
    session: { agent: { host: 'b' } },
    companions: [{ bytes: 10 }],
    missing: [],
  });
});

test('what another host has shipped leaves without a word, also from a journal that knew it', async () => {
  for (const begun of [false, true]) {
    const { world, host, live, end } = makeFleet();
    const [a, b] = [host('a'), host('b')];
    if (begun) {
      await b.look();
      await a.look();
      await live(6 * minute, a);
      await a.look();
    }
    end();
    await live(minute, a);
    await a.deliver();
    await live(6 * minute, b);
    await b.look();
    await b.look();
    expect(b.tracker.sessions.all()).toEqual([]);
    world.folder.remove('run');
    await b.look();
    await world.clock.advance(idleMs);
    await b.look();
    expect(b.tracker.sessions.all()).toEqual([]);
    expect(world.events.of('session.vanished')).toEqual([]);
  }
});
