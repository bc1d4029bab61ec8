import { expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { recoverSession } from '../../src/services/recovery.ts';
import { keyTemplate, type TestAgent, World } from '../support/services.ts';

const everyMs = 5 * 60_000;
const halfHourMs = 30 * 60_000;
const dayMs = 24 * 3_600_000;
const key = 'training-logs/companions/2026/01/a/x.txt';
const never = new AbortController().signal;

async function later(world: World, agent: TestAgent, ms: number): Promise<void> {
  await world.clock.advance(ms);
  await agent.look();
  await agent.ship();
  await agent.grown();
}

/** A file that a snapshot put whole, and that grew by parts since; its host was silent for a day. */
async function lost(): Promise<World> {
  const world = new World({ parts: { firstBytes: 8 } });
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/x.txt', 'v1');
  const agent = world.start({ snapshotEveryMs: everyMs });
  await agent.look();
  await later(world, agent, everyMs);
  expect(world.log().companions).toMatchObject([{ path: 'x.txt', bytes: 2 }]);
  world.folder.append('a/x.txt', ' and much more!');
  for (let round = 0; round < 2; round++) await later(world, agent, everyMs);
  expect(world.log().missing).toMatchObject([{ path: 'x.txt', reason: 'pending' }]);
  await world.clock.advance(dayMs);
  return world;
}

function recover({ store, clock }: World) {
  return recoverSession({ store, keyTemplate, clock, snapshotEveryMs: everyMs }, 'a', never);
}

function there(world: World) {
  const { etag, sizeBytes: bytes } =
    world.store.versions(key).at(-1)?.object ?? expect.fail('nothing is there');
  return { etag, bytes };
}

/** What the file is when its host returns. */
const changes: Readonly<Record<string, string | undefined>> = {
  'is as it was': 'v1 and much more!',
  'was written back to what was put whole': 'v1',
  'was deleted': undefined,
};
const ways = Object.keys(changes).flatMap((change) =>
  ['done', 'cut off before its log'].flatMap((recovery) =>
    ['ends', 'goes on'].map((session) => ({ change, recovery, session })),
  ),
);

test.each(ways)(
  'after a recovery that was $recovery, of a file that $change, a session that $session lists what is there',
  async ({ change, recovery, session }) => {
    const world = await lost();
    if (recovery === 'done') {
      await recover(world);
      expect(world.log().companions).toMatchObject([{ ...there(world), truncated: true }]);
    } else {
      const cut = new Failure({ kind: 'transient', code: 'ECONNRESET', attempted: 'x' });
      world.store.failNext('complete', cut, 'after');
      expect(await recover(world)).toMatchObject({ files: [{ outcome: 'failed' }] });
      expect(world.log().companions).toEqual([]);
    }
    expect(there(world).bytes).toBe(16);
    const text = changes[change];
    if (text === undefined) world.folder.remove('a/x.txt');
    else if (text === 'v1') world.folder.write('a/x.txt', text);
    world.folder.write(session === 'ends' ? 'a/result.json' : 'a/other.txt', '{"status":"completed"}');
    const agent = world.start({ snapshotEveryMs: everyMs });
    for (let round = 0; round < 8; round++) {
      await agent.look();
      await agent.ship();
      const listed = world.log().companions.find(({ path }) => path === 'x.txt');
      if (listed) expect(listed, `round ${round}`).toMatchObject(there(world));
      await agent.grown();
      await world.clock.advance(session === 'ends' ? 60_000 : halfHourMs);
      if (session === 'goes on') world.folder.append('a/other.txt', 'more');
    }
    const { companions, missing, session: end } = world.log();
    const x = companions.find(({ path }) => path === 'x.txt');
    const isWhole = x !== undefined && !x.truncated && !missing.some(({ path }) => path === 'x.txt');
    if (isWhole) expect(world.store.text(key)).toBe(text);
    if (session === 'ends')
      expect({ status: end.status, isWhole }).toEqual({ status: 'completed', isWhole: text !== undefined });
    else expect(end.status).toBe('running');
    if (text === undefined && session === 'ends')
      expect(missing).toContainEqual(expect.objectContaining({ path: 'x.txt', reason: 'vanished' }));
  },
);

test.each(['v1', undefined])(
  'what a log waits for, completed by a recovery that was cut off, is not what was put before: %s',
  async (text) => {
    const world = await lost();
    const cut = () => new Failure({ kind: 'transient', code: 'ECONNRESET', attempted: 'x' });
    const before = world.start({ snapshotEveryMs: everyMs });
    world.folder.write('a/result.json', '{"status":"completed"}');
    world.store.failNext('complete', cut());
    await before.deliver();
    expect(world.log()).toMatchObject({ companions: [], missing: [{ path: 'x.txt', reason: 'pending' }] });
    world.store.failNext('complete', cut(), 'after');
    await world.clock.advance(dayMs);
    expect(await recover(world)).toMatchObject({ files: [{ outcome: 'failed' }] });
    expect(there(world).bytes).toBe(16);
    if (text === undefined) world.folder.remove('a/x.txt');
    else world.folder.write('a/x.txt', text);
    const agent = world.start({ snapshotEveryMs: everyMs });
    for (let round = 0; round < 4; round++) {
      await agent.look();
      await agent.ship();
      const listed = world.log().companions.find(({ path }) => path === 'x.txt');
      if (listed) expect(listed, `round ${round}`).toMatchObject(there(world));
      await agent.grown();
      await world.clock.advance(60_000);
    }
    // What was deleted was claimed before, and is sent as it was.
    expect(world.store.text(key)).toBe(text ?? 'v1 and much more!');
    expect(world.log()).toMatchObject({ companions: [there(world)], missing: [] });
  },
);
