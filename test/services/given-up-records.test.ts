import { expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { recoverSession } from '../../src/services/recovery.ts';
import { keyTemplate, type TestAgent, World } from '../support/services.ts';

const everyMs = 5 * 60_000;
const key = 'training-logs/companions/2026/01/a/x.txt';
const never = new AbortController().signal;
const unreachable = () => new Failure({ kind: 'transient', code: 'ECONNRESET', attempted: 'x' });

/** The session ended without a file that parts of were sent, and the bucket has the record of them. */
async function gone(): Promise<{ world: World; agent: TestAgent }> {
  const world = new World({ parts: { firstBytes: 8, aborts: false } });
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/x.txt', 'AAAAAAAABBBBBBBBcc');
  const agent = world.start({ snapshotEveryMs: everyMs });
  await agent.look();
  await world.clock.advance(everyMs);
  await agent.look();
  await agent.ship();
  await agent.grown();
  expect(agent.journal.openUpload(1, 'x.txt')?.resume?.parts).toBe(2);
  world.folder.remove('a/x.txt');
  world.folder.write('a/result.json', '{"status":"completed"}');
  await agent.deliver();
  expect(world.summary()).toEqual(['a completed 2 [] [x.txt:vanished]']);
  expect(agent.journal.openUpload(1, 'x.txt')).toBeUndefined();
  await world.clock.advance(60_000);
  await agent.look();
  await agent.ship();
  return { world, agent };
}

/** Another file takes the name, and a log says that it is to be sent. */
async function another(world: World, agent: TestAgent): Promise<void> {
  world.folder.write('a/x.txt', 'ZZZZZZZZYYYYYYYYXXXXXXXX');
  world.store.failNext('begin', unreachable());
  await agent.deliver();
  await agent.shipping.logAsItIs(1, never);
}

async function recover(world: World) {
  await world.clock.advance(24 * 3_600_000);
  const { store, clock } = world;
  return recoverSession({ store, keyTemplate, clock, snapshotEveryMs: everyMs }, 'a', never);
}

test.each([false, true])(
  'parts of a file that is gone do not become the next one of its name; killed in between: %s',
  async (killed) => {
    const { world, agent } = await gone();
    await another(world, killed ? world.start({ snapshotEveryMs: everyMs }) : agent);
    expect(world.summary()).toEqual(['a completed 3 [] [x.txt:pending]']);
    const cause = expect.stringContaining('its host gave up what was sent of it');
    expect(await recover(world)).toMatchObject({ files: [{ path: 'x.txt', outcome: 'lost', cause }] });
    expect(world.store.versions(key)).toEqual([]);
  },
);

test('while a record cannot be made void, no log says that the next file is to be sent', async () => {
  const { world, agent } = await gone();
  const isRecord = (at: string) => at.includes('/.resume/');
  const [record = ''] = world.store.keys().filter(isRecord);
  const { find } = world.store;
  let looks = 0;
  world.store.find = async (at, signal) => {
    if (at !== record) return find.call(world.store, at, signal);
    looks += 1;
    throw unreachable();
  };
  await another(world, agent);
  expect(looks).toBe(1);
  expect(world.summary()).toEqual(['a completed 2 [] [x.txt:vanished]']);
  expect(await recover(world)).toMatchObject({ outcome: 'ended' });
  world.store.find = find;
  await agent.deliver();
  expect(world.log()).toMatchObject({ companions: [{ path: 'x.txt', bytes: 24 }], missing: [] });
  expect(world.store.text(key)).toBe('ZZZZZZZZYYYYYYYYXXXXXXXX');
});

test('a record is made void once, and not for a log that waits for nothing', async () => {
  const { world, agent } = await gone();
  const [record = ''] = world.store.keys().filter((at) => at.includes('/.resume/'));
  expect(world.store.versions(record)).toHaveLength(1);
  await another(world, agent);
  expect(world.store.versions(record)).toHaveLength(2);
  world.folder.write('a/x.txt', 'Z');
  await world.clock.advance(everyMs);
  await agent.deliver();
  expect(world.store.text(key)).toBe('Z');
  expect(world.store.versions(record)).toHaveLength(2);
});
