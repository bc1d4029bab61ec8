import { expect, test } from 'vitest';
import { idleMs, settleMs, type TestAgent, World } from '../support/services.ts';

const log = 'training-logs/2026/01/a.log';
const out = 'training-logs/companions/2026/01/a/out.log';

/** A shipped session with one companion, and what was written since. */
async function shippedSession(): Promise<{ world: World; agent: TestAgent; puts: () => string[] }> {
  const world = new World();
  world.folder.write('a/session.json', '{"id":"a","user":{"username":"ada"}}');
  world.folder.write('a/out.log', 'one');
  world.folder.write('a/result.json', '{"status":"completed","metrics":{"loss":0.5}}');
  const agent = world.start();
  await agent.deliver();
  const done = world.store.calls.length;
  return { world, agent, puts: () => world.store.calls.slice(done).filter((call) => call.startsWith('put')) };
}

async function deliverLater(world: World, agent: TestAgent): Promise<void> {
  await world.clock.advance(60_000);
  await agent.deliver();
}

test('a listed companion is named as pending before it is replaced', async () => {
  const { world, agent, puts } = await shippedSession();
  world.folder.append('a/out.log', ' two');
  await deliverLater(world, agent);
  expect(puts()).toEqual([`put ${log}`, `put ${out}`, `put ${log}`]);
  const [, , third, fourth] = world.store.versions(log).map((_, at) => world.log(log, at));
  expect(third).toMatchObject({
    session: { status: 'completed', revision: 3 },
    companions: [],
    missing: [{ path: 'out.log', bytes: 7, reason: 'pending' }],
  });
  expect(fourth).toMatchObject({
    session: { revision: 4 },
    companions: [{ path: 'out.log', bytes: 7 }],
    missing: [],
  });
  expect(world.store.text(out)).toBe('one two');
});

test('a new companion is sent before the log lists it; what is listed is not touched', async () => {
  const { world, agent, puts } = await shippedSession();
  world.folder.write('a/late.txt', 'late');
  await deliverLater(world, agent);
  expect(puts()).toEqual(['put training-logs/companions/2026/01/a/late.txt', `put ${log}`]);
  expect(world.summary()).toEqual(['a completed 3 [late.txt out.log] []']);
});

test.each<[string, (world: World) => void]>([
  ['touched', (world) => world.folder.touch('a/out.log')],
  ['renamed over by the same bytes', (world) => world.folder.replace('a/out.log', 'one')],
  ['written again with the same bytes', (world) => world.folder.write('a/out.log', 'one')],
])('a companion that was %s is not sent again', async (_, change) => {
  const { world, agent, puts } = await shippedSession();
  change(world);
  await deliverLater(world, agent);
  expect(puts()).toEqual([]);
  expect(world.summary()).toEqual(['a completed 2 [out.log] []']);
  // Known by what it is now: it is not read again and again.
  await deliverLater(world, agent);
  expect(world.events.of('file.unchanged')).toHaveLength(1);
});

test('a companion that was deleted locally stays listed', async () => {
  const { world, agent } = await shippedSession();
  world.folder.remove('a/out.log');
  world.folder.write('a/late.txt', 'late');
  await deliverLater(world, agent);
  expect(world.summary()).toEqual(['a completed 3 [late.txt out.log] []']);
});

test('facts of an earlier revision stay unless they are contradicted', async () => {
  const { world, agent } = await shippedSession();
  world.folder.remove('a/session.json');
  world.folder.write('a/result.json', '{"status":"failed","error":"out of memory"}');
  await deliverLater(world, agent);
  expect(world.log()).toMatchObject({
    user: { username: 'ada' },
    results: { metrics: { loss: 0.5 }, error: 'out of memory' },
    native: { 'session.json': { id: 'a' }, 'result.json': { status: 'failed' } },
  });
});

test('a result that changed after shipping changes the status', async () => {
  const { world, agent } = await shippedSession();
  world.folder.write('a/result.json', '{"status":"failed"}');
  await deliverLater(world, agent);
  expect(world.log().session).toMatchObject({ status: 'failed', sealedBy: 'result.json' });
});

test('after a restart, what did not change is neither read nor sent', async () => {
  const { world, puts } = await shippedSession();
  const agent = world.start();
  await deliverLater(world, agent);
  await world.clock.advance(idleMs);
  await agent.deliver();
  expect(puts()).toEqual([]);
});

test('after a restart, what changed meanwhile is a revision', async () => {
  const { world } = await shippedSession();
  world.folder.append('a/out.log', ' two');
  const agent = world.start();
  await deliverLater(world, agent);
  expect(world.store.text(out)).toBe('one two');
  expect(world.summary()).toEqual(['a completed 4 [out.log] []']);
});

test('with a lost journal, the log in the bucket is read first: nothing is sent, nothing forgotten', async () => {
  const { world, puts } = await shippedSession();
  world.folder.remove('a/session.json');
  world.folder.write('a/session.json', '{"id":"a"}');
  const agent = world.start({ lost: true });
  await deliverLater(world, agent);
  expect(puts().filter((call) => call.includes(out))).toEqual([]);
  expect(world.store.versions(out)).toHaveLength(1);
  expect(world.log()).toMatchObject({
    session: { status: 'completed' },
    user: { username: 'ada' },
    missing: [],
  });
});

test('a companion that changes while the final log is on its way makes another revision', async () => {
  const { world, agent } = await shippedSession();
  world.folder.append('a/out.log', ' two');
  await world.clock.advance(60_000);
  await agent.lookTwice();
  const resume = world.store.pause();
  const shipping = agent.ship();
  world.folder.append('a/out.log', ' three');
  await agent.lookTwice();
  resume();
  await shipping;
  await world.clock.advance(settleMs);
  await agent.deliver();
  expect(world.store.text(out)).toBe('one two three');
  expect(world.log()).toMatchObject({ companions: [{ path: 'out.log', bytes: 13 }], missing: [] });
});

test('what is enqueued while a final log is on its way is written after it', async () => {
  const world = new World();
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', 'one');
  world.folder.write('a/result.json', '{"status":"completed"}');
  let isNews = true;
  const agent: TestAgent = world.start({
    store: (store) =>
      Object.assign(Object.create(store) as typeof store, {
        put: async (...args: Parameters<typeof store.put>) => {
          const receipt = await store.put(...args);
          const shipment = agent.journal.shipment(1);
          if (isNews && shipment && args[0].metadata['revision'] === '2') {
            isNews = false;
            const draft = { ...shipment.draft, name: 'said later' };
            agent.journal.enqueue(1, { seal: agent.journal.session(1)?.seal, shape: '', draft, files: [] });
          }
          return receipt;
        },
        find: store.find.bind(store),
        get: store.get.bind(store),
        verify: store.verify.bind(store),
      }),
  });
  await agent.deliver();
  expect(isNews).toBe(false);
  expect(world.log(log).session).toMatchObject({ name: 'said later', revision: 3 });
});
