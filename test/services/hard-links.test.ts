import { expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { type FileStat, fingerprintOf } from '../../src/ports/file-source.ts';
import { Janitor } from '../../src/services/janitor.ts';
import { folder, rescanMs, type TestAgent, World } from '../support/services.ts';

const completed = '{"status":"completed"}';
const keyOf = (session: string, path: string) => `training-logs/companions/2026/01/${session}/${path}`;
const never = new AbortController().signal;

function session(world: World, id: string): void {
  world.folder.write(`${id}/session.json`, JSON.stringify({ id }));
}

function end(world: World, ...ids: readonly string[]): void {
  for (const id of ids) world.folder.write(`${id}/result.json`, completed);
}

async function rounds(world: World, agents: readonly TestAgent[], count: number): Promise<void> {
  for (let round = 0; round < count; round++) {
    for (const agent of agents) {
      await world.clock.advance(rescanMs);
      await agent.look();
      await agent.ship();
    }
  }
}

/** From now on nothing of it is read, said or written any more. */
async function expectAtRest(world: World, agents: readonly TestAgent[]): Promise<void> {
  for (const agent of agents) expect(agent.tracker.sessions.all().map(({ root }) => root)).toEqual([]);
  const said = world.events.all.length;
  await rounds(world, agents, 3);
  expect(world.events.all.slice(said)).toEqual([]);
  expect(await world.folder.claims()).toEqual([]);
}

function stat(world: World, path: string): FileStat {
  const found = world.folder.statAt(path);
  if (!found) throw new Error(`there is no ${path}`);
  return found;
}

test('two names of one file in a session: both are shipped, then it rests, and each is known as it is', async () => {
  const world = new World();
  session(world, 'a');
  world.folder.write('a/model-5.txt', 'the model');
  world.folder.hardLink('a/model-5.txt', 'a/latest.txt');
  end(world, 'a');
  const agent = world.start();
  await rounds(world, [agent], 6);
  await expectAtRest(world, [agent]);
  expect(world.summary()[0]).toMatch(/\[latest\.txt model-5\.txt\] \[\]$/);
  const [{ sid = 0 } = {}] = agent.journal.resting(folder, ['shipped']);
  const rows = agent.journal.files(sid).filter(({ role }) => role === 'companion');
  expect(rows.map(({ fingerprint }) => fingerprint)).toEqual(
    ['a/latest.txt', 'a/model-5.txt'].map((path) => fingerprintOf(stat(world, path))),
  );
  const { journal } = agent;
  const { store, processes, clock, events } = world;
  const retention = { localFiles: 'delete', keepForMs: 0 } as const;
  const source = world.folder;
  const janitor = new Janitor({
    source,
    journal,
    store,
    processes,
    clock,
    events,
    folder,
    abandoned: undefined,
    retention,
  });
  // To delete the one moves the ctime of the other.
  for (let round = 0; round < 2; round++) {
    await janitor.deleteShipped(never);
    await rounds(world, [agent], 2);
  }
  expect(['a/latest.txt', 'a/model-5.txt'].map((path) => world.folder.statAt(path))).toEqual([
    undefined,
    undefined,
  ]);
  expect(world.summary()[0]).toMatch(/\[latest\.txt model-5\.txt\] \[\]$/);
});

test('one file in three sessions comes to rest in all of them', async () => {
  const world = new World();
  for (const id of ['a', 'b', 'c']) session(world, id);
  world.folder.write('a/data.txt', 'the data');
  for (const id of ['b', 'c']) world.folder.hardLink('a/data.txt', `${id}/data.txt`);
  end(world, 'a', 'b', 'c');
  const agent = world.start();
  await rounds(world, [agent], 10);
  await expectAtRest(world, [agent]);
  for (const id of ['a', 'b', 'c']) expect(world.store.versions(keyOf(id, 'data.txt'))).toHaveLength(1);
});

test('another process that answers every moved ctime with a claim of its own is not answered', async () => {
  const world = new World();
  session(world, 'a');
  world.folder.write('a/data.txt', 'the data');
  end(world, 'a');
  const agent = world.start();
  let seenNs = 0n;
  let answers = 0;
  for (let round = 0; round < 12; round++) {
    if (stat(world, 'a/data.txt').ctimeNs !== seenNs) {
      answers += 1;
      world.folder.hardLink('a/data.txt', 'claim-of-another');
      world.folder.remove('claim-of-another');
      seenNs = stat(world, 'a/data.txt').ctimeNs;
    }
    await rounds(world, [agent], 1);
  }
  expect(answers).toBeLessThan(5);
  await expectAtRest(world, [agent]);
});

test('bytes that changed with the size and the time kept are found when the ctime moves', async () => {
  const world = new World();
  session(world, 'a');
  world.folder.write('a/out.log', 'first');
  end(world, 'a');
  const agent = world.start();
  await rounds(world, [agent], 2);
  const { mtimeNs } = stat(world, 'a/out.log');
  world.folder.writeUnseen('a/out.log', 'other');
  world.folder.hardLink('a/out.log', 'a/copy.log');
  expect(stat(world, 'a/out.log').mtimeNs).toBe(mtimeNs);
  await rounds(world, [agent], 8);
  expect(world.store.text(keyOf('a', 'out.log'))).toBe('other');
  await expectAtRest(world, [agent]);
});

test.each([false, true])(
  'a file that is deleted before its moved ctime was looked into stays listed, also in an outage: %s',
  async (isAway) => {
    const world = new World();
    session(world, 'a');
    world.folder.write('a/out.log', 'first');
    end(world, 'a');
    const agent = world.start();
    await rounds(world, [agent], 2);
    world.folder.hardLink('a/out.log', 'elsewhere.log');
    world.folder.remove('elsewhere.log');
    await agent.lookTwice();
    if (isAway) {
      world.store.failNext(
        'verify',
        new Failure({ kind: 'transient', code: 'ECONNRESET', attempted: 'asking' }),
      );
      await agent.ship();
      expect(world.events.of('upload.retry')).toHaveLength(1);
    }
    world.folder.remove('a/out.log');
    await rounds(world, [agent], 2);
    expect(world.log()).toMatchObject({ companions: [{ path: 'out.log' }], missing: [] });
    expect(world.events.of('file.vanished')).toEqual([]);
  },
);
