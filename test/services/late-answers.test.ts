import { expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import type { ObjectStore, PutRequest } from '../../src/ports/object-store.ts';
import { type TestAgent, World } from '../support/services.ts';

const settleMs = 5_000;
const log = 'training-logs/2026/01/a.log';
const out = 'training-logs/companions/2026/01/a/out.log';

interface Late {
  readonly agent: TestAgent;
  readonly world: World;
  /** The server carries the abandoned request out after all. */
  arrive(): void;
}

/** A server that does not honour conditions, and keeps the `nth` write of `key` back while its answer is given up. */
async function keptBack(key: string, nth: number, createIsAtomic = false): Promise<Late> {
  const world = new World({ createIsAtomic, createSettleMs: settleMs });
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', 'old');
  world.folder.write('a/result.json', '{"status":"completed"}');
  let held: { bytes: Buffer; request: PutRequest } | undefined;
  let writes = 0;
  const store = (of: ObjectStore): ObjectStore => ({
    name: of.name,
    createIsAtomic: of.createIsAtomic,
    createSettleMs: of.createSettleMs,
    find: (at, signal) => of.find(at, signal),
    get: (at, bytesMax, signal) => of.get(at, bytesMax, signal),
    verify: (object, source, signal) => of.verify(object, source, signal),
    put: async (request, signal) => {
      if (request.key !== key || ++writes !== nth) return await of.put(request, signal);
      held = { request, bytes: await request.source.read(0, request.source.sizeBytes) };
      throw new Failure({ kind: 'transient', code: 'TimeoutError', attempted: 'writing: no answer' });
    },
    parts: undefined,
    close: () => of.close(),
  });
  const agent = world.start({ store });
  await agent.deliver();
  // The first log, then what comes after it.
  await world.clock.advance(settleMs);
  await agent.ship();
  return {
    agent,
    world,
    arrive: () => {
      if (!held) return expect.fail('nothing was kept back');
      world.store.seed(held.request.key, held.bytes, held.request.metadata);
    },
  };
}

/** Looks, and ships what is due, for a while that is shorter than a server may hold a request back. */
async function step({ agent, world }: Late): Promise<void> {
  await agent.look();
  await world.clock.advance(2_500);
  await agent.look();
  await agent.ship();
}

test('a companion whose older bytes may yet arrive is looked at again before the session is shipped', async () => {
  const late = await keptBack(out, 1);
  const { world, agent } = late;
  world.folder.write('a/out.log', 'new');
  await step(late);
  expect(world.store.text(out)).toBe('new');
  expect(world.log(log).companions).toEqual([]);
  late.arrive();
  expect(world.store.text(out)).toBe('old');
  for (let round = 0; round < 10 && agent.journal.hasUnfinished('/watched'); round++) await step(late);
  expect(world.store.text(out)).toBe('new');
  const etag = world.store.versions(out).at(-1)?.object.etag;
  expect(world.log(log).companions).toMatchObject([{ path: 'out.log', etag }]);
  expect(world.log(log).missing).toEqual([]);
});

test('the same bytes tried again wait for nothing', async () => {
  const late = await keptBack(out, 1);
  await late.world.clock.advance(2_000);
  await late.agent.ship();
  expect(late.world.summary()).toEqual(['a completed 2 [out.log] []']);
  expect(late.agent.journal.hasUnfinished('/watched')).toBe(false);
});

test('where conditions are honoured, a late request cannot win, and nobody waits', async () => {
  const late = await keptBack(out, 1, true);
  late.world.folder.write('a/out.log', 'new');
  await step(late);
  expect(late.agent.journal.hasUnfinished('/watched')).toBe(false);
  expect(late.world.store.text(out)).toBe('new');
  expect(late.world.summary()[0]).toMatch(/\[out\.log\] \[\]$/);
});

test('a log that an older one may yet replace is looked at again before the session is shipped', async () => {
  const late = await keptBack(log, 2);
  const { world, agent } = late;
  world.folder.write('a/result.json', '{"status":"failed"}');
  await step(late);
  expect(world.log(log).session.status).toBe('failed');
  expect(agent.journal.hasUnfinished('/watched')).toBe(true);
  late.arrive();
  expect(world.log(log).session.status).toBe('completed');
  for (let round = 0; round < 10 && agent.journal.hasUnfinished('/watched'); round++) await step(late);
  expect(world.log(log)).toMatchObject({ session: { status: 'failed' }, missing: [] });
  expect(agent.journal.hasUnfinished('/watched')).toBe(false);
  expect(world.events.of('session.renamed')).toEqual([]);
});

test('a log in doubt that nothing replaced costs one look', async () => {
  const late = await keptBack(log, 2);
  const { world, agent } = late;
  for (let round = 0; round < 10 && agent.journal.hasUnfinished('/watched'); round++) await step(late);
  expect(world.summary()).toEqual(['a completed 2 [out.log] []']);
  expect(world.store.versions(log)).toHaveLength(2);
});
