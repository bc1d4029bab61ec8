import { expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { quietMs, type Recovery, recoverSession } from '../../src/services/recovery.ts';
import { holdPart } from '../fakes/held-part.ts';
import { eventually } from '../support/eventually.ts';
import { keyTemplate, settleMs, type TestAgent, World } from '../support/services.ts';

const snapshotEveryMs = 5 * 60_000;
const completed = '{"status":"completed"}';
const log = 'training-logs/2026/01/a.log';
const keyOf = (path: string) => `training-logs/companions/2026/01/a/${path}`;
const key = keyOf('out.log');

/** An open session `a` with these files; what it says and has in the bucket is from just now. Parts are of 8 bytes. */
async function open(files: Readonly<Record<string, string>>): Promise<{ world: World; agent: TestAgent }> {
  const world = new World({ parts: { firstBytes: 8 } });
  world.folder.write('a/session.json', '{"id":"a"}');
  for (const [path, text] of Object.entries(files)) world.folder.write(`a/${path}`, text);
  const agent = world.start({ snapshotEveryMs });
  await agent.look();
  await later(world, agent, snapshotEveryMs);
  return { world, agent };
}

async function later(world: World, agent: TestAgent, ms: number): Promise<void> {
  await world.clock.advance(ms);
  await agent.look();
  await agent.ship();
  await agent.grown();
}

/** From another host, once this one has been silent for long enough. */
async function recover(world: World, afterMs = quietMs, id = 'a'): Promise<Recovery> {
  await world.clock.advance(afterMs);
  const { store, clock } = world;
  return recoverSession({ store, keyTemplate, clock }, id, new AbortController().signal);
}

test('what a lost host had sent becomes an object, and the log says what it is', async () => {
  const { world } = await open({ 'out.log': 'aaaaaaaabbbbbbbbccc', 'small.txt': 's' });
  const before = world.log().session;
  expect(await recover(world)).toEqual({
    outcome: 'recovered',
    key: log,
    status: 'interrupted',
    revision: before.revision + 1,
    files: [{ path: 'out.log', outcome: 'completed', key, bytes: 16 }],
  });
  expect(world.store.text(key)).toBe('aaaaaaaabbbbbbbb');
  const { session, companions, missing, warnings } = world.log();
  expect(session).toEqual({
    ...before,
    status: 'interrupted',
    sealedBy: 'trainlogd recover',
    revision: before.revision + 1,
  });
  expect(companions).toMatchObject([
    { path: 'out.log', key, bytes: 16, partSize: 8, contentType: 'text/plain', truncated: true },
    { path: 'small.txt', bytes: 1 },
  ]);
  expect(companions[1]).not.toHaveProperty('truncated');
  expect(missing).toEqual([{ path: 'out.log', bytes: 19, reason: 'vanished' }]);
  expect(warnings).toEqual([expect.stringContaining('1 file was completed by trainlogd recover')]);
});

test('done again, it finds nothing to do', async () => {
  const { world } = await open({ 'out.log': 'aaaaaaaabbb' });
  await recover(world);
  const versions = world.store.versions(log).length;
  expect(await recover(world)).toEqual({ outcome: 'ended', key: log, status: 'interrupted' });
  expect(world.store.versions(log)).toHaveLength(versions);
});

test('cut off at any request, it comes to the same when it is done again', async () => {
  const { world: whole } = await open({ 'out.log': 'aaaaaaaabbb', 'small.txt': 's' });
  await recover(whole);
  for (const operation of ['find', 'get', 'complete', 'put'] as const) {
    for (const moment of ['before', 'after'] as const) {
      const { world } = await open({ 'out.log': 'aaaaaaaabbb', 'small.txt': 's' });
      world.store.failNext(
        operation,
        new Failure({ kind: 'transient', code: 'ECONNRESET', attempted: 'x' }),
        moment,
      );
      await expect(recover(world)).rejects.toMatchObject({ code: 'ECONNRESET' });
      await recover(world);
      expect(world.store.text(key), `${operation} ${moment}`).toBe('aaaaaaaa');
      expect(world.log(), `${operation} ${moment}`).toEqual(whole.log());
      expect(world.store.versions(key)).toHaveLength(1);
    }
  }
});

test('a host that wrote only just now is not disturbed', async () => {
  const { world, agent } = await open({ 'out.log': 'aaaaaaaabbb' });
  const wroteAtMs = world.clock.nowMs();
  expect(await recover(world, quietMs - 1)).toEqual({
    outcome: 'tooEarly',
    key: log,
    againAtMs: wroteAtMs + quietMs,
  });
  expect(world.store.versions(key)).toEqual([]);
  // Its log stays as it is; that it sends parts is a sign of life, too.
  world.folder.append('a/out.log', 'bbbbb');
  await agent.look();
  await later(world, agent, settleMs);
  expect(await recover(world, 60_000)).toMatchObject({ outcome: 'tooEarly' });
});

test('a file of which nothing was sent is lost, and the log says so', async () => {
  const { world, agent } = await open({ 'out.log': 'aaaaaaaabbb' });
  world.folder.write('a/new.bin', 'n'.repeat(20));
  const tracked = agent.tracker.sessions.get('a');
  await agent.look();
  if (tracked) await agent.observer.snapshot(tracked);
  await agent.ship();
  const recovery = await recover(world);
  expect(recovery).toMatchObject({
    status: 'interrupted',
    files: [
      { path: 'new.bin', outcome: 'lost', cause: 'no part of it is known to be in the bucket' },
      { path: 'out.log', outcome: 'completed' },
    ],
  });
  expect(world.log().missing.map(({ path, reason }) => `${path} ${reason}`)).toEqual([
    'new.bin vanished',
    'out.log vanished',
  ]);
});

test('an upload that is gone is said to be, and what an earlier log listed stays listed', async () => {
  const { world, agent } = await open({ 'out.log': 'small' });
  world.folder.append('a/out.log', ' and large');
  await later(world, agent, snapshotEveryMs);
  await later(world, agent, settleMs);
  for (const { uploadId } of world.store.openUploads()) world.store.forgetUpload(uploadId);
  expect(await recover(world)).toMatchObject({
    files: [{ path: 'out.log', outcome: 'lost', cause: 'the bucket does not have its parts any more' }],
  });
  expect(world.store.text(key)).toBe('small');
  expect(world.log()).toMatchObject({
    companions: [{ path: 'out.log', bytes: 5 }],
    missing: [{ path: 'out.log', bytes: 15, reason: 'vanished' }],
  });
});

test('an object that the log lists is replaced only once the log does not list it any more', async () => {
  const { world, agent } = await open({ 'out.log': 'small' });
  world.folder.append('a/out.log', ' and large');
  await later(world, agent, snapshotEveryMs);
  await later(world, agent, settleMs);
  expect(world.log().companions).toMatchObject([{ bytes: 5 }]);
  const { length } = world.store.calls;
  expect(await recover(world)).toMatchObject({ files: [{ outcome: 'completed', bytes: 8 }] });
  const writes = world.store.calls.slice(length).filter((call) => /^(put|complete)/.test(call));
  expect(writes).toEqual([`put ${log}`, `complete ${key}`, `put ${log}`]);
  expect(world.log(log, -2)).toMatchObject({ session: { status: 'running' }, companions: [] });
  expect(world.store.text(key)).toBe('small an');
});

test('a small file whose host did not live to list it is found at its key', async () => {
  const { world, agent } = await open({ 'out.log': 'one' });
  world.folder.append('a/out.log', ' 2');
  world.store.failCall('put', 6, new Failure({ kind: 'transient', code: 'ECONNRESET', attempted: 'x' }));
  await later(world, agent, snapshotEveryMs);
  expect(world.summary()).toEqual(['a running 3 [] [out.log:pending]']);
  expect(await recover(world)).toMatchObject({
    files: [{ path: 'out.log', outcome: 'completed', bytes: 5 }],
  });
  expect(world.log().companions).toMatchObject([{ path: 'out.log', bytes: 5, truncated: true }]);
});

test('a file of a session that has ended is whole when all of it was sent', async () => {
  const { world, agent } = await open({ 'out.log': 'aaaaaaaabbbbbbbb' });
  world.folder.write('a/result.json', completed);
  world.store.failNext('complete', new Failure({ kind: 'transient', code: 'ECONNRESET', attempted: 'x' }));
  await agent.deliver();
  await agent.uploader.stop();
  const [tracked] = agent.journal.dueSessions('/watched', Number.MAX_SAFE_INTEGER, 1);
  await agent.shipping.logAsItIs(tracked ?? 0, new AbortController().signal);
  expect(world.summary()).toEqual(['a completed 2 [] [out.log:pending]']);
  expect(await recover(world)).toMatchObject({
    status: 'completed',
    files: [{ outcome: 'completed', bytes: 16 }],
  });
  expect(world.summary()).toEqual(['a completed 3 [out.log] []']);
  expect(world.log().companions[0]).not.toHaveProperty('truncated');
});

test('files of a session that has ended are recorded while they are sent', async () => {
  const world = new World({ parts: { firstBytes: 8 } });
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', 'aaaaaaaabbbbbbbbcccccccc');
  world.folder.write('a/result.json', completed);
  const held = Promise.withResolvers<void>();
  const agent = world.start({ snapshotEveryMs, store: (store) => holdPart(store, 3, held.promise) });
  await agent.lookTwice();
  void agent.ship();
  await eventually(() => world.store.openUploads()[0]?.parts.size === 2);
  await world.clock.advance(snapshotEveryMs);
  await eventually(() => world.store.keys(keyOf('.resume/')).length === 1);
  expect(await recover(world)).toMatchObject({
    status: 'completed',
    files: [{ path: 'out.log', outcome: 'completed', bytes: 16 }],
  });
  expect(world.summary()).toEqual(['a completed 2 [out.log] [out.log:vanished]']);
  expect(world.log().companions).toMatchObject([{ bytes: 16, truncated: true }]);
});

test('a session without open files is interrupted, and that is all', async () => {
  const { world } = await open({ 'small.txt': 's' });
  expect(await recover(world)).toMatchObject({ outcome: 'recovered', status: 'interrupted', files: [] });
  expect(world.summary()).toEqual(['a interrupted 3 [small.txt] []']);
});

test('a session that has ended is left alone', async () => {
  const { world, agent } = await open({ 'out.log': 'aaaaaaaabbb' });
  world.folder.write('a/result.json', completed);
  await agent.deliver();
  expect(await recover(world)).toEqual({ outcome: 'ended', key: log, status: 'completed' });
});

test('an id that no log has is said to have none, years back and no further', async () => {
  const world = new World();
  expect(await recover(world, 0)).toEqual({ outcome: 'notFound' });
  const asked = world.store.calls;
  expect(asked).toHaveLength(60);
  expect([asked[0], asked[1], asked.at(-1)]).toEqual([
    `find ${log}`,
    'find training-logs/2025/12/a.log',
    'find training-logs/2021/02/a.log',
  ]);
});

test('what is no session log, and no record of this session, is not touched', async () => {
  const { world } = await open({ 'out.log': 'aaaaaaaabbb' });
  const [record = ''] = world.store.keys(keyOf('.resume/'));
  world.store.seed(record, world.store.text(record), { origin: 'elsewhere' });
  expect(await recover(world)).toMatchObject({ files: [{ path: 'out.log', outcome: 'lost' }] });
  world.store.seed(log, 'no log', {});
  expect(await recover(world)).toEqual({ outcome: 'unreadable', key: log });
  expect(world.store.versions(key)).toEqual([]);
});

test('a host that comes back adopts what was recovered, and sends the rest', async () => {
  const { world } = await open({ 'out.log': 'aaaaaaaabbb', 'small.txt': 's' });
  await recover(world);
  const recovered = world.log().session.revision;
  world.folder.append('a/out.log', 'bbbbbccc');
  const back = world.start({ snapshotEveryMs });
  await back.look();
  await later(world, back, snapshotEveryMs);
  expect(world.log().session.status).toBe('running');
  world.folder.write('a/result.json', completed);
  await back.deliver();
  await later(world, back, 60_000);
  expect(world.store.text(key)).toBe('aaaaaaaabbbbbbbbccc');
  expect(world.log()).toMatchObject({
    session: { status: 'completed' },
    companions: [{ path: 'out.log', bytes: 19 }, { path: 'small.txt' }],
    missing: [],
  });
  expect(world.log().companions[0]).not.toHaveProperty('truncated');
  expect(world.log().session.revision).toBeGreaterThan(recovered);
  expect(world.store.openUploads()).toEqual([]);
});

test('a host that comes back without the file keeps what was recovered, and says that its end is gone', async () => {
  const { world } = await open({ 'out.log': 'aaaaaaaabbb' });
  await recover(world);
  world.folder.remove('a/out.log');
  world.folder.write('a/result.json', completed);
  const back = world.start({ snapshotEveryMs });
  await back.deliver();
  await later(world, back, 60_000);
  expect(world.log()).toMatchObject({
    session: { status: 'completed' },
    companions: [{ path: 'out.log', bytes: 8, truncated: true }],
    missing: [{ path: 'out.log', bytes: 11, reason: 'vanished' }],
  });
});

test('a host that comes back to a session that has ended meanwhile sends the file whole', async () => {
  const { world } = await open({ 'out.log': 'aaaaaaaabbb' });
  await recover(world);
  world.folder.append('a/out.log', 'bbbbb');
  world.folder.write('a/result.json', completed);
  const back = world.start({ snapshotEveryMs });
  await back.deliver();
  await later(world, back, 60_000);
  expect(world.store.text(key)).toBe('aaaaaaaabbbbbbbb');
  expect(world.log()).toMatchObject({
    session: { status: 'completed' },
    companions: [{ bytes: 16 }],
    missing: [],
  });
});
