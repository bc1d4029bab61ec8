import { expect, test } from 'vitest';
import { Conflict, Failure } from '../../src/domain/failure.ts';
import { partsOf } from '../../src/domain/part-layout.ts';
import { sessionLogSchema } from '../../src/domain/session-log.ts';
import type { ObjectStore, PutRequest } from '../../src/ports/object-store.ts';
import type { PartStore } from '../../src/ports/part-store.ts';
import { recoverSession } from '../../src/services/recovery.ts';
import { sourceOf } from '../support/byte-source.ts';
import { eventually } from '../support/eventually.ts';
import { keyTemplate, settleMs, type TestAgent, World } from '../support/services.ts';

const snapshotEveryMs = 5 * 60_000;
/** Whatever it wrote last, by then a host counts as lost. */
const silentMs = 24 * 3_600_000;
const never = new AbortController().signal;
const completed = '{"status":"completed"}';
const log = 'training-logs/2026/01/a.log';
const key = 'training-logs/companions/2026/01/a/out.log';

/** The same store, in which each request that replaces an object that the log lists at that moment is noted. */
function watching(
  world: World,
  replaced: string[],
  before: () => Promise<void> = async () => {},
): (store: ObjectStore) => ObjectStore {
  const note = async (at: string) => {
    if (at !== log) await before();
    const there = world.store.versions(at).at(-1)?.object.etag;
    const text = world.store.versions(log).at(-1)?.bytes.toString();
    if (at === log || there === undefined || text === undefined) return;
    const listed = sessionLogSchema.parse(JSON.parse(text)).companions.find((entry) => entry.key === at);
    if (listed?.etag === there) replaced.push(at);
  };
  return (store) => ({
    ...over(store, async (request) => {
      if ('etag' in request.condition) await note(request.key);
    }),
    parts: store.parts && {
      ...boundParts(store.parts),
      complete: async (upload, sent, condition, signal) => {
        if ('etag' in condition) await note(upload.key);
        return await (store.parts?.complete(upload, sent, condition, signal) ?? expect.fail('no parts'));
      },
    },
  });
}

/** The same store, in which `before` is awaited before each put. */
function over(store: ObjectStore, before: (request: PutRequest) => Promise<void>): ObjectStore {
  return {
    name: store.name,
    createIsAtomic: store.createIsAtomic,
    createSettleMs: store.createSettleMs,
    find: store.find.bind(store),
    get: store.get.bind(store),
    verify: store.verify.bind(store),
    put: async (request, signal) => {
      await before(request);
      return await store.put(request, signal);
    },
    parts: store.parts,
    close: store.close.bind(store),
  };
}

function boundParts(parts: PartStore): PartStore {
  const { layout } = parts;
  return {
    layout,
    begin: parts.begin.bind(parts),
    send: parts.send.bind(parts),
    copy: parts.copy.bind(parts),
    complete: parts.complete.bind(parts),
    abort: parts.abort.bind(parts),
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

/** The session has ended, and its host died once all of the file was sent, before that became an object or was recorded. */
async function diedAtTheEnd(): Promise<{ world: World; replaced: string[] }> {
  const { world, replaced } = await died();
  const cutOff = () => new Failure({ kind: 'transient', code: 'ECONNRESET', attempted: 'x' });
  const unrecorded = (store: ObjectStore) =>
    over(store, async ({ key: at }) => {
      if (at.includes('/.resume/')) throw cutOff();
    });
  const agent = world.start({ snapshotEveryMs, store: unrecorded });
  world.folder.append('a/out.log', 'bbbbb');
  world.folder.write('a/result.json', completed);
  world.store.failNext('complete', cutOff());
  await agent.deliver();
  const [sid = 0] = agent.journal.dueSessions('/watched', Number.MAX_SAFE_INTEGER, 1);
  await agent.shipping.logAsItIs(sid, never);
  expect(world.summary()).toEqual(['a completed 2 [] [out.log:pending]']);
  return { world, replaced };
}

test('a host that died with the file queued does the same', async () => {
  const { world, replaced } = await diedAtTheEnd();
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
  const { world, replaced } = await diedAtTheEnd();
  // The other host has completed the object, and is about to write the log that lists it.
  const held = Promise.withResolvers<void>();
  const atLog = Promise.withResolvers<void>();
  const slow = over(world.store, async () => {
    if (world.store.versions(key).length === 0) return;
    atLog.resolve();
    await held.promise;
  });
  const recovering = recovered(world, slow).catch((error: unknown) => error);
  await atLog.promise;
  expect(world.store.versions(key)).toHaveLength(1);
  // It does so right before its object is replaced; the log that it read has nothing to say that is new.
  const store = watching(world, replaced, async () => {
    held.resolve();
    await recovering;
  });
  await shipsAll(world, world.start({ snapshotEveryMs, store }));
  expect(await recovering).toBeInstanceOf(Conflict);
  expect(replaced).toEqual([]);
  expect(world.store.text(key)).toBe('aaaaaaaabbbbbbbb');
  expect(world.log().companions).toMatchObject([{ path: 'out.log', bytes: 16 }]);
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

test('a host that was kept from writing, and was taken for lost, looks at the log before it goes on', async () => {
  const world = new World({ parts: { firstBytes: 8 } });
  const replaced: string[] = [];
  let isExpired = false;
  const store = (under: ObjectStore) =>
    over(watching(world, replaced)(under), async (request) => {
      const attempted = 'writing: the credentials have expired';
      if (isExpired && request.key === key)
        throw new Failure({ kind: 'blocked', code: 'ExpiredToken', attempted, remedy: 'renew them' });
    });
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', 'one');
  const agent = world.start({ snapshotEveryMs, store });
  await agent.look();
  await later(world, agent, snapshotEveryMs);
  expect(world.summary()).toEqual(['a running 2 [out.log] []']);
  world.folder.write('a/out.log', 'two!');
  world.folder.write('a/result.json', completed);
  await agent.lookTwice();
  isExpired = true;
  const shipping = agent.ship();
  await eventually(() => agent.gate.state());
  expect(world.summary()).toEqual(['a completed 3 [] [out.log:pending]']);
  await recovered(world);
  expect(world.log().companions).toMatchObject([{ path: 'out.log', bytes: 3 }]);
  isExpired = false;
  let isOver = false;
  void shipping.then(() => {
    isOver = true;
  });
  await eventually(async () => {
    await world.clock.advance(60_000);
    return isOver;
  });
  for (let round = 0; round < 10; round++) await later(world, agent, 60_000);
  expect(replaced).toEqual([]);
  expect(world.store.text(key)).toBe('two!');
  expect(world.log()).toMatchObject({ companions: [{ path: 'out.log', bytes: 4 }], missing: [] });
});

test('an object that is found to hold the bytes frees the parts of an upload that did not make it', async () => {
  const { world } = await diedAtTheEnd();
  const { origin = '' } = world.store.versions(log).at(-1)?.object.metadata ?? {};
  const { parts } = world.store;
  const [open] = world.store.openUploads();
  if (!parts || !open) return expect.fail('nothing is open');
  const begun = await parts.begin({ key, contentType: 'text/plain', metadata: { origin } }, never);
  const upload = { key, ...begun };
  const bytes = 'aaaaaaaabbbbbbbb';
  const source = sourceOf(bytes);
  const sent = [];
  for (const part of partsOf(upload.layout, bytes.length))
    sent.push(await parts.send(upload, part, source, never));
  await parts.complete(upload, sent, { absent: true }, never);
  const back = world.start({ snapshotEveryMs });
  await shipsAll(world, back);
  expect(world.store.versions(key)).toHaveLength(1);
  expect(world.log()).toMatchObject({ companions: [{ path: 'out.log', bytes: 16 }], missing: [] });
  expect(back.journal.uploadCounts()).toMatchObject({ open: 0, abandoned: 1, abandonedBytes: 16 });
  expect(world.store.openUploads().map(({ uploadId }) => uploadId)).toEqual([open.uploadId]);
});
