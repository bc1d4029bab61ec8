import { expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { leaseLimits } from '../../src/domain/lease.ts';
import { sessionLogSchema } from '../../src/domain/session-log.ts';
import { HeldLease } from '../../src/services/held-lease.ts';
import { recoverSession } from '../../src/services/recovery.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { MemoryLeases } from '../fakes/memory-leases.ts';
import { keyTemplate, World } from '../support/services.ts';

const snapshotEveryMs = 5 * 60_000;
const logKey = 'training-logs/2026/01/a.log';
const key = 'training-logs/companions/2026/01/a/small.txt';
const never = new AbortController().signal;

test('a host that slept and was recovered meanwhile looks at the log before it replaces what that lists', async () => {
  const world = new World({ parts: { firstBytes: 8 } });
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/small.txt', 'v1');
  const agent = world.start({ snapshotEveryMs });
  await agent.look();
  await world.clock.advance(snapshotEveryMs);
  await agent.look();
  await agent.ship();
  world.folder.write('a/small.txt', 'v2');
  await world.clock.advance(snapshotEveryMs);
  await agent.look();

  const put = world.store.put.bind(world.store);
  let isReset = true;
  const replacedWhileListed: string[] = [];
  world.store.put = async (request, signal) => {
    if (request.key === key && isReset) {
      isReset = false;
      throw new Failure({ kind: 'transient', code: 'ECONNRESET', attempted: 'writing small.txt' });
    }
    if (request.key === key) {
      const log = sessionLogSchema.parse(JSON.parse(world.store.text(logKey) ?? ''));
      const listed = log.companions.find((entry) => entry.key === key);
      if (listed) replacedWhileListed.push(listed.etag);
    }
    return put(request, signal);
  };
  await agent.ship();
  world.clock.setWall(world.clock.nowMs() + 24 * 3_600_000);
  const elsewhere = new Proxy(world.store, {
    get: (store, name) => (name === 'put' ? put : Reflect.get(store, name, store).bind(store)),
  });
  const options = { store: elsewhere, keyTemplate, clock: world.clock, snapshotEveryMs };
  expect(await recoverSession(options, 'a', never)).toMatchObject({ outcome: 'recovered' });
  for (let round = 0; round < 5; round++) {
    await world.clock.advance(10_000);
    await agent.look();
    await agent.ship();
  }
  expect(world.store.text(key)).toBe('v2');
  expect(replacedWhileListed).toEqual([]);
});

test('a lease is not relied on for the time that the machine slept', async () => {
  const clock = new FakeClock();
  const store = new MemoryLeases(async () => true);
  const lease = { session: 'a' } as never;
  const held = new HeldLease({
    store,
    clock,
    limits: leaseLimits,
    root: 'a',
    number: 1,
    lease,
    sinceMs: clock.monotonicMs(),
    spread: 0,
  });
  expect(await held.confirm()).toEqual({ at: 'held' });
  expect(await store.read('a')).toBeUndefined();
  clock.setWall(clock.nowMs() + leaseLimits.leaseMs);
  expect(await held.confirm()).toEqual({ at: 'held' });
  expect((await store.read('a'))?.number).toBe(2);
});
