import { expect, test } from 'vitest';
import type { Clock } from '../../src/ports/clock.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import type { PartStore } from '../../src/ports/part-store.ts';
import { type TestAgent, World } from '../support/services.ts';

const kib = 1024;
/** What the link to the destination carries. */
const bytesPerSecond = 100 * kib;
const companion = (name: string) => `training-logs/companions/2026/01/${name}/${name}.bin`;
const never = new AbortController().signal;

/** The same store behind a link of that rate; requests end early when they are aborted. */
function slowLink(store: ObjectStore, clock: Clock): ObjectStore {
  const carry = (bytes: number, signal: AbortSignal) => clock.sleep((bytes * 1000) / bytesPerSecond, signal);
  const { parts } = store;
  const slowParts: PartStore | undefined = parts && {
    layout: parts.layout,
    begin: (request, signal) => parts.begin(request, signal),
    send: async (upload, part, source, signal, onProgress) => {
      await carry(part.sizeBytes, signal);
      return await parts.send(upload, part, source, signal, onProgress);
    },
    copy: (upload, part, from, crc32, signal) => parts.copy(upload, part, from, crc32, signal),
    complete: (upload, sent, condition, signal) => parts.complete(upload, sent, condition, signal),
    abort: (upload, signal) => parts.abort(upload, signal),
  };
  return {
    name: store.name,
    createIsAtomic: store.createIsAtomic,
    createSettleMs: store.createSettleMs,
    find: (key, signal) => store.find(key, signal),
    get: (key, bytesMax, signal) => store.get(key, bytesMax, signal),
    verify: (object, source, signal) => store.verify(object, source, signal),
    put: async (request, signal) => {
      await carry(request.source.sizeBytes, signal);
      return await store.put(request, signal);
    },
    parts: slowParts,
    close: () => store.close(),
  };
}

interface Bench {
  readonly world: World;
  readonly agent: TestAgent;
  /** Finished sessions of one companion each, queued in this order. */
  queue(sizes: Readonly<Record<string, number>>): Promise<void>;
  /** Lets time pass until `over` is. */
  until(over: () => boolean): Promise<void>;
  /** Ids of the sessions in the order in which their companions arrived. */
  arrived(): string[];
}

async function bench(): Promise<Bench> {
  const world = new World({ parts: { firstBytes: 256 * kib } });
  const agent = world.start({
    concurrency: 1,
    bytesMax: 100 * 1024 * kib,
    store: (store) => slowLink(store, world.clock),
  });
  const queue = async (sizes: Readonly<Record<string, number>>) => {
    for (const [name, size] of Object.entries(sizes)) {
      world.folder.write(`${name}/session.json`, JSON.stringify({ id: name }));
      world.folder.write(`${name}/${name}.bin`, Buffer.alloc(size, name));
      world.folder.write(`${name}/result.json`, '{"status":"completed"}');
      await agent.lookTwice();
    }
  };
  const until = async (over: () => boolean) => {
    while (!over()) {
      // The journal commits in real time, and the fake one must not run away meanwhile.
      await agent.journal.synced();
      await world.clock.advance(50);
    }
  };
  const arrived = () =>
    world.store.calls
      .filter((call) => /^(put|complete) .*\.bin$/.test(call))
      .map((call) => call.replace(/^.*\/(\w+)\.bin$/, '$1'));
  return { world, agent, queue, until, arrived };
}

async function drain({ world, agent, until }: Bench, timeoutMs: number): Promise<void> {
  let isOver = false;
  const atMs = world.clock.monotonicMs() + timeoutMs;
  const draining = agent.uploader.drain({ atMs, signal: never }).then(() => {
    isOver = true;
  });
  await until(() => isOver);
  await draining;
  await agent.uploader.stop();
}

test('before a deadline, what can be completed goes first, the least first; the rest leaves whole parts', async () => {
  const under = await bench();
  const { world, agent } = under;
  await under.queue({ warm: 1100 * kib });
  const running = agent.uploader.run();
  await under.until(() => agent.uploader.isShipped);
  // 40 s of link time, then 3 s, 1 s and 2 s.
  await under.queue({ large: 4000 * kib, c: 300 * kib, a: 100 * kib, b: 200 * kib });
  agent.uploader.wake();
  await under.until(() => agent.journal.uploadCounts().openBytes > 0);
  const beganMs = world.clock.monotonicMs();
  await drain(under, 25_000);
  await running;
  expect(world.clock.monotonicMs() - beganMs).toBeLessThan(26_000);
  expect(under.arrived()).toEqual(['warm', 'a', 'b', 'c']);
  expect(world.summary().toSorted()).toEqual([
    'a completed 2 [a.bin] []',
    'b completed 2 [b.bin] []',
    'c completed 2 [c.bin] []',
    'large completed 1 [] [large.bin:pending]',
    'warm completed 2 [warm.bin] []',
  ]);
  // What time the others left was used, and every part that arrived counts.
  const { open, openBytes } = agent.journal.uploadCounts();
  expect(open).toBe(1);
  expect(openBytes).toBeGreaterThanOrEqual(1024 * kib);
  const there = [...(world.store.openUploads()[0]?.parts.values() ?? [])];
  expect(openBytes).toBe(there.reduce((sum, part) => sum + part.bytes.length, 0));
  expect(
    agent.journal.files(agent.journal.dueSessions('/watched', Number.MAX_SAFE_INTEGER, 9)[0] ?? 0),
  ).toMatchObject([{ attempts: 0, state: 'pending' }, {}, {}]);
});

test('the next start sends what was left, and no part twice', async () => {
  const under = await bench();
  const { world, agent } = under;
  await under.queue({ large: 2000 * kib });
  const running = agent.uploader.run();
  await under.until(() => agent.journal.uploadCounts().openBytes > 0);
  await drain(under, 10_000);
  await running;
  const key = companion('large');
  const arrivedParts = world.store.openUploads()[0]?.parts.size ?? 0;
  const before = world.store.calls.filter((call) => call === `sendPart ${key}`).length;
  expect(arrivedParts).toBeGreaterThan(1);
  await world.start({ concurrency: 1 }).ship();
  const sent = world.store.calls.filter((call) => call === `sendPart ${key}`).length;
  expect(sent - before).toBe(8 - arrivedParts);
  expect(world.store.versions(key)).toHaveLength(1);
  expect(world.summary()).toEqual(['large completed 2 [large.bin] []']);
});

test('a file that fits is not stopped, whatever else waits', async () => {
  const under = await bench();
  const { world, agent } = under;
  await under.queue({ warm: 1100 * kib });
  const running = agent.uploader.run();
  await under.until(() => agent.uploader.isShipped);
  await under.queue({ fits: 1000 * kib, a: 100 * kib });
  agent.uploader.wake();
  await under.until(() => agent.journal.uploadCounts().openBytes > 0);
  await drain(under, 25_000);
  await running;
  expect(under.arrived()).toEqual(['warm', 'fits', 'a']);
  expect(world.store.calls.filter((call) => call === `sendPart ${companion('fits')}`)).toHaveLength(4);
});
