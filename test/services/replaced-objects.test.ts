import { expect, test } from 'vitest';
import { Conflict, Failure } from '../../src/domain/failure.ts';
import { sessionLogSchema } from '../../src/domain/session-log.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { recoverSession } from '../../src/services/recovery.ts';
import { keyTemplate, settleMs, type TestAgent, World } from '../support/services.ts';

const snapshotEveryMs = 5 * 60_000;
/** Whatever it wrote last, by then a host counts as lost. */
const silentMs = 24 * 3_600_000;
const never = new AbortController().signal;
const completed = '{"status":"completed"}';
const log = 'training-logs/2026/01/a.log';
const key = 'training-logs/companions/2026/01/a/out.log';

/** The same store, in which each request that replaces an object that the log lists at that moment is noted. */
function watching(world: World, replaced: string[]): (store: ObjectStore) => ObjectStore {
  const note = (at: string) => {
    const there = world.store.versions(at).at(-1)?.object.etag;
    const text = world.store.versions(log).at(-1)?.bytes.toString();
    if (at === log || there === undefined || text === undefined) return;
    const listed = sessionLogSchema.parse(JSON.parse(text)).companions.find((entry) => entry.key === at);
    if (listed?.etag === there) replaced.push(at);
  };
  return (store) => {
    const { parts } = store;
    if (!parts) return expect.fail('the store has no parts');
    return {
      name: store.name,
      createIsAtomic: store.createIsAtomic,
      createSettleMs: store.createSettleMs,
      find: store.find.bind(store),
      get: store.get.bind(store),
      verify: store.verify.bind(store),
      put: async (request, signal) => {
        if ('etag' in request.condition) note(request.key);
        return await store.put(request, signal);
      },
      parts: {
        layout: parts.layout,
        begin: parts.begin.bind(parts),
        send: parts.send.bind(parts),
        copy: parts.copy.bind(parts),
        complete: async (upload, sent, condition, signal) => {
          if ('etag' in condition) note(upload.key);
          return await parts.complete(upload, sent, condition, signal);
        },
        abort: parts.abort.bind(parts),
      },
      close: store.close.bind(store),
    };
  };
}

async function later(world: World, agent: TestAgent, ms: number): Promise<void> {
  await world.clock.advance(ms);
  await agent.look();
  await agent.ship();
  await agent.grown();
}

/** A session `a` in the middle of whose file its host died; parts are of 8 bytes, and one is in the bucket. */
async function died(): Promise<{ world: World; replaced: string[] }> {
  const world = new World({ parts: { firstBytes: 8 } });
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', 'aaaaaaaabbb');
  const agent = world.start({ snapshotEveryMs });
  await agent.look();
  await later(world, agent, snapshotEveryMs);
  return { world, replaced: [] };
}

async function recovered(world: World, store: ObjectStore = world.store): Promise<unknown> {
  await world.clock.advance(silentMs);
  const { clock } = world;
  return await recoverSession({ store, keyTemplate, clock, snapshotEveryMs }, 'a', never);
}

async function shipsAll(world: World, agent: TestAgent): Promise<void> {
  await agent.deliver();
  for (let round = 0; round < 10; round++) await later(world, agent, 60_000);
}

test('a host that returns announces what was recovered before it replaces it', async () => {
  const { world, replaced } = await died();
  await recovered(world);
  expect(world.log()).toMatchObject({ companions: [{ path: 'out.log', bytes: 8 }] });
  world.folder.append('a/out.log', 'bbbbbccc');
  world.folder.write('a/result.json', completed);
  const back = world.start({ snapshotEveryMs, store: watching(world, replaced) });
  await shipsAll(world, back);
  expect(world.store.text(key)).toBe('aaaaaaaabbbbbbbbccc');
  expect(replaced).toEqual([]);
  expect(world.log()).toMatchObject({
    session: { status: 'completed' },
    companions: [{ path: 'out.log', bytes: 19 }],
    missing: [],
  });
});

test('a host that died with the file queued does the same', async () => {
  const { world, replaced } = await died();
  const agent = world.start({ snapshotEveryMs });
  world.folder.append('a/out.log', 'bbbbb');
  world.folder.write('a/result.json', completed);
  world.store.failNext('complete', new Failure({ kind: 'transient', code: 'ECONNRESET', attempted: 'x' }));
  await agent.deliver();
  expect(world.log()).toMatchObject({ missing: [{ path: 'out.log', reason: 'pending' }] });
  await recovered(world);
  expect(world.log().companions).toHaveLength(1);
  world.folder.append('a/out.log', 'c');
  const back = world.start({ snapshotEveryMs, store: watching(world, replaced) });
  await shipsAll(world, back);
  expect(world.store.text(key)).toBe('aaaaaaaabbbbbbbbc');
  expect(replaced).toEqual([]);
  expect(world.log()).toMatchObject({ companions: [{ path: 'out.log', bytes: 17 }], missing: [] });
});

test('a log that is read just before another host lists the object is written over, so that it never does', async () => {
  const { world, replaced } = await died();
  // The other host has completed the object, and is about to write the log that lists it.
  const held = Promise.withResolvers<void>();
  const atLog = Promise.withResolvers<void>();
  const slow: ObjectStore = Object.assign(Object.create(world.store), {
    put: async (...[request, signal]: Parameters<ObjectStore['put']>) => {
      if (world.store.versions(key).length > 0) {
        atLog.resolve();
        await held.promise;
      }
      return await world.store.put(request, signal);
    },
  });
  const recovering = recovered(world, slow).catch((error: unknown) => error);
  await atLog.promise;
  expect(world.store.versions(key)).toHaveLength(1);
  world.folder.append('a/out.log', 'bbbbbccc');
  world.folder.write('a/result.json', completed);
  const back = world.start({ snapshotEveryMs, store: watching(world, replaced) });
  await shipsAll(world, back);
  held.resolve();
  expect(await recovering).toBeInstanceOf(Conflict);
  expect(replaced).toEqual([]);
  expect(world.store.text(key)).toBe('aaaaaaaabbbbbbbbccc');
  expect(world.log().companions).toMatchObject([{ path: 'out.log', bytes: 19 }]);
});

test('an object of the session that no log lists costs one more revision, and nothing else', async () => {
  const { world, replaced } = await died();
  const { origin = '' } = world.store.versions(log).at(-1)?.object.metadata ?? {};
  world.store.seed(key, 'unknown', { origin });
  const { revision } = world.log().session;
  world.folder.write('a/result.json', completed);
  const back = world.start({ snapshotEveryMs, store: watching(world, replaced) });
  await shipsAll(world, back);
  expect(world.store.text(key)).toBe('aaaaaaaabbb');
  expect(world.store.versions(key)).toHaveLength(2);
  // The end is announced, the log is written over itself, the file is listed.
  expect(world.log()).toMatchObject({ session: { revision: revision + 2 }, missing: [] });
  expect(back.journal.hasUnfinished('/watched')).toBe(false);
});

test('dying between the look and the write begins with the look again', async () => {
  const { world, replaced } = await died();
  await recovered(world);
  world.folder.write('a/result.json', completed);
  const back = world.start({ snapshotEveryMs });
  await back.deliver();
  const [sid = 0] = back.journal.dueSessions('/watched', Number.MAX_SAFE_INTEGER, 1);
  expect(back.journal.shipment(sid)).toMatchObject({ logContested: true, logDigest: undefined });
  const again = world.start({ snapshotEveryMs, store: watching(world, replaced) });
  await again.look();
  await world.clock.advance(settleMs);
  await shipsAll(world, again);
  expect(replaced).toEqual([]);
  expect(world.log()).toMatchObject({ companions: [{ path: 'out.log', bytes: 11 }], missing: [] });
  expect(world.store.text(key)).toBe('aaaaaaaabbb');
});

test('an object that is found to hold the bytes frees the parts of an upload that did not make it', async () => {
  const { world } = await died();
  const { origin = '' } = world.store.versions(log).at(-1)?.object.metadata ?? {};
  world.store.seed(key, 'aaaaaaaabbb', { origin });
  world.folder.write('a/result.json', completed);
  const back = world.start({ snapshotEveryMs });
  await shipsAll(world, back);
  expect(world.store.versions(key)).toHaveLength(1);
  expect(world.log()).toMatchObject({ companions: [{ path: 'out.log', bytes: 11 }], missing: [] });
  expect(back.journal.uploadCounts()).toMatchObject({ open: 0, abandoned: 1 });
});
