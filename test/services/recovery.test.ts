import { expect, test } from 'vitest';
import { Conflict, Failure } from '../../src/domain/failure.ts';
import { type Recovery, recoverSession } from '../../src/services/recovery.ts';
import { holdPart } from '../fakes/held-part.ts';
import { eventually } from '../support/eventually.ts';
import { keyTemplate, settleMs, type TestAgent, World } from '../support/services.ts';

const minuteMs = 60_000;
const snapshotEveryMs = 5 * minuteMs;
/** Whatever the session's age, a host that lives would have written again. */
const lostMs = 70 * minuteMs;
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
async function recover(world: World, afterMs = lostMs, id = 'a'): Promise<Recovery> {
  await world.clock.advance(afterMs);
  const { store, clock } = world;
  const options = { store, keyTemplate, clock, snapshotEveryMs };
  return recoverSession(options, id, new AbortController().signal);
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
  expect(missing).toEqual([
    { path: 'out.log', bytes: 19, reason: 'vanished' },
    { path: '.', reason: 'vanished' },
  ]);
  expect(warnings).toEqual([
    expect.stringContaining('its host was lost while it ran'),
    expect.stringContaining('1 file was completed by trainlogd recover'),
  ]);
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
      const cut = recover(world).then(
        (recovery) => ('files' in recovery ? recovery.files[0] : undefined),
        (error: unknown) => error,
      );
      const what = operation === 'complete' ? { outcome: 'failed' } : { code: 'ECONNRESET' };
      expect(await cut, `${operation} ${moment}`).toMatchObject(what);
      await recover(world, 0);
      expect(world.store.text(key), `${operation} ${moment}`).toBe('aaaaaaaa');
      expect(world.log(), `${operation} ${moment}`).toEqual(whole.log());
      expect(world.store.versions(key)).toHaveLength(1);
    }
  }
});

test('a host is disturbed only once it would have written again, by the schedule in its records', async () => {
  const { world, agent } = await open({ 'out.log': 'aaaaaaaabbb' });
  const wroteAtMs = world.clock.nowMs();
  // Due in 5 minutes, at most 10 late.
  const againAtMs = wroteAtMs + 15 * minuteMs;
  const early = { outcome: 'tooEarly', key: log, wroteAtMs, againAtMs };
  expect(await recover(world, 15 * minuteMs - 1)).toEqual(early);
  expect(world.store.versions(key)).toEqual([]);
  // Its log stays as it is; that it sends parts is a sign of life, too.
  world.folder.append('a/out.log', 'bbbbb');
  await agent.look();
  await later(world, agent, settleMs);
  expect(await recover(world, 14 * minuteMs)).toMatchObject({ outcome: 'tooEarly' });
});

test('one that writes every hour by now is given an hour', async () => {
  const { world, agent } = await open({ 'out.log': 'aaaaaaaabbb' });
  for (let half = 0; half < 8; half++) {
    world.folder.append('a/out.log', 'bbbbbbbb');
    await agent.look();
    await later(world, agent, 30 * minuteMs);
  }
  const wroteAtMs = world.clock.nowMs();
  const { foundAtMs = 0 } = agent.journal.session(1) ?? {};
  const ageMinutes = (wroteAtMs - foundAtMs) / minuteMs;
  // After 245 minutes: snapshots at 190 and 250, and what is due is at most 10 late.
  expect(ageMinutes).toBe(245);
  const againAtMs = foundAtMs + 260 * minuteMs;
  expect(await recover(world, 15 * minuteMs - 1)).toMatchObject({
    outcome: 'tooEarly',
    wroteAtMs,
    againAtMs,
  });
  world.folder.append('a/out.log', 'b');
  await agent.look();
  await later(world, agent, snapshotEveryMs);
  const laterMs = world.clock.nowMs();
  expect(await recover(world, 0)).toMatchObject({
    outcome: 'tooEarly',
    wroteAtMs: laterMs,
    againAtMs: foundAtMs + 320 * minuteMs,
  });
});

test('where no record says how often a host writes, it is given the longest time that it may be silent', async () => {
  const { world } = await open({ 'small.txt': 's' });
  const wroteAtMs = world.clock.nowMs();
  const early = { outcome: 'tooEarly', wroteAtMs, againAtMs: wroteAtMs + lostMs };
  expect(await recover(world, lostMs - 1)).toMatchObject(early);
  expect(await recover(world, 1)).toMatchObject({ outcome: 'recovered' });
});

test('small files that arrive are a sign of life, though no log says so yet', async () => {
  const { world, agent } = await open({ 'out.log': 'one' });
  world.folder.append('a/out.log', ' 2');
  world.store.failCall('put', 6, new Failure({ kind: 'transient', code: 'ECONNRESET', attempted: 'x' }));
  await later(world, agent, snapshotEveryMs);
  await world.clock.advance(lostMs - minuteMs);
  const [before] = world.store.versions(key).slice(-1);
  world.store.seed(key, 'one 2 3', before?.object.metadata);
  expect(await recover(world, minuteMs)).toMatchObject({ outcome: 'tooEarly' });
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
    '. vanished',
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
    missing: [{ path: 'out.log', bytes: 15, reason: 'vanished' }, { path: '.' }],
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

test('a file is never said to be whole, also when as many bytes were sent as the log waits for', async () => {
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
  expect(world.summary()).toEqual(['a completed 3 [out.log] [out.log:vanished]']);
  expect(world.log().companions).toMatchObject([{ bytes: 16, truncated: true }]);
});

test('what a file was before, at the same length, does not stand for it', async () => {
  const { world, agent } = await open({ 'out.log': 'one' });
  world.folder.write('a/out.log', 'two');
  world.folder.write('a/result.json', completed);
  const denied = new Failure({ kind: 'transient', code: 'SlowDown', attempted: 'x' });
  // The log that names it goes first.
  world.store.failCall('put', 5, denied);
  await agent.deliver();
  expect(world.summary()).toEqual(['a completed 3 [] [out.log:pending]']);
  expect(world.store.text(key)).toBe('one');
  expect(await recover(world)).toMatchObject({ files: [{ outcome: 'completed', bytes: 3 }] });
  expect(world.summary()).toEqual(['a completed 4 [out.log] [out.log:vanished]']);
  expect(world.log().companions).toMatchObject([{ bytes: 3, truncated: true }]);
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
  // Nobody knows what the host wrote after its last log.
  expect(world.summary()).toEqual(['a interrupted 3 [small.txt] [.:vanished]']);
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
  await later(world, back, 3 * snapshotEveryMs);
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

test('a host that lived all the while goes on with what was recovered, and loses nothing', async () => {
  const { world, agent } = await open({ 'out.log': 'aaaaaaaabbb', 'small.txt': 's' });
  expect(await recover(world)).toMatchObject({ files: [{ outcome: 'completed', bytes: 8 }] });
  world.folder.append('a/out.log', 'bbbbbccccccccd');
  await agent.look();
  await later(world, agent, 3 * snapshotEveryMs);
  expect(world.log()).toMatchObject({
    session: { status: 'running' },
    missing: [{ path: 'out.log', reason: 'pending' }],
  });
  world.folder.write('a/result.json', completed);
  await agent.deliver();
  await later(world, agent, minuteMs);
  expect(world.store.text(key)).toBe('aaaaaaaabbbbbbbbccccccccd');
  expect(world.log()).toMatchObject({
    session: { status: 'completed' },
    companions: [{ path: 'out.log', bytes: 25 }, { path: 'small.txt' }],
    missing: [],
  });
  expect(world.log().companions[0]).not.toHaveProperty('truncated');
  expect(world.events.of('upload.restarted')).toHaveLength(1);
  expect(world.store.openUploads()).toEqual([]);
});

test('a host that comes back to an object of all its bytes makes its log complete, and sends nothing', async () => {
  const { world } = await open({ 'out.log': 'aaaaaaaabbbbbbbb' });
  await recover(world);
  expect(world.log().companions).toMatchObject([{ bytes: 16, truncated: true }]);
  world.folder.write('a/result.json', completed);
  const back = world.start({ snapshotEveryMs });
  const sent = world.store.calls.filter((call) => call.startsWith('sendPart')).length;
  await back.deliver();
  await later(world, back, minuteMs);
  expect(world.summary()).toEqual([expect.stringMatching(/^a completed \d+ \[out.log\] \[\]$/)]);
  expect(world.log().companions[0]).not.toHaveProperty('truncated');
  expect(world.store.versions(key)).toHaveLength(1);
  expect(world.store.calls.filter((call) => call.startsWith('sendPart'))).toHaveLength(sent);
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

test('what was given up is not completed: the record says that it is void', async () => {
  const { world, agent } = await open({ 'out.log': 'aaaaaaaabbbbbbbb' });
  world.folder.write('a/out.log', 'zzzzzzzzyyyyyyy');
  await agent.look();
  await world.clock.advance(settleMs);
  await agent.look();
  // Aborting what was given up is denied, and nothing of the new beginning arrives.
  world.store.failNext('begin', new Failure({ kind: 'transient', code: 'ECONNRESET', attempted: 'x' }));
  await agent.grown();
  await agent.growing?.stop();
  expect(world.store.openUploads()[0]?.parts.size).toBe(2);
  expect(await recover(world)).toMatchObject({
    files: [
      { path: 'out.log', outcome: 'lost', cause: expect.stringContaining('gave up what was sent of it') },
    ],
  });
  expect(world.store.versions(key)).toEqual([]);
  expect(world.summary()).toEqual(['a interrupted 2 [] [out.log:vanished .:vanished]']);
});

type Loose = Record<string, unknown>;
const recordText = (change: (record: Loose) => Loose) => (text: string) =>
  JSON.stringify(change(JSON.parse(text) as Loose));
const firstPart = (change: Loose) =>
  recordText((record) => ({ ...record, parts: [{ ...(record['parts'] as Loose[])[0], ...change }] }));

test.each<[string, (text: string) => string | Buffer, string]>([
  ['is huge', (text) => Buffer.concat([Buffer.from(text), Buffer.alloc(5 * 1024 * 1024, ' ')]), 'over'],
  ['is empty', () => '', 'damaged'],
  ['is no text', () => Buffer.from([0xff, 0xfe, 0x00]), 'damaged'],
  ['is null', () => 'null', 'damaged'],
  ['is deep', () => '['.repeat(100_000), 'damaged'],
  ['is of a later version', recordText((record) => ({ ...record, version: 2 })), 'later version'],
  ['has other types', recordText((record) => ({ ...record, parts: 'all' })), 'damaged'],
  ['has a checksum that is none', firstPart({ crc32: 'x' }), 'damaged'],
  ['has a part without end', firstPart({ sizeBytes: 1e300 }), 'damaged'],
  ['has a part of another size', firstPart({ sizeBytes: 7 }), 'damaged'],
  [
    'has more parts than an object can',
    recordText((record) => ({ ...record, parts: Array(20_000).fill((record['parts'] as Loose[])[0]) })),
    'damaged',
  ],
  [
    'says that a host writes once in a thousand years',
    recordText((record) => ({ ...record, schedule: { ageMs: 0, everyMs: 1e15 } })),
    'damaged',
  ],
  ['is of another session', recordText((record) => ({ ...record, session: 'b' })), 'another file'],
  ['is of another file', recordText((record) => ({ ...record, path: 'b.log' })), 'another file'],
  ['leads to another file', recordText((record) => ({ ...record, key: keyOf('b.log') })), 'another file'],
  ['leads to itself', recordText((record) => ({ ...record, key: keyOf('.resume/x') })), 'another file'],
  ['leads to a log', recordText((record) => ({ ...record, key: log })), 'another file'],
  [
    "leads to another session's file",
    recordText((record) => ({ ...record, key: key.replace('/a/', '/b/') })),
    'another file',
  ],
])('a record that %s is passed over, and nothing is written but the log', async (_, change, cause) => {
  const { world } = await open({ 'out.log': 'aaaaaaaabbb' });
  const [at = ''] = world.store.keys(keyOf('.resume/'));
  const { metadata } = world.store.versions(at).at(-1)?.object ?? {};
  world.store.seed(at, change(world.store.text(at)), metadata);
  const { length } = world.store.calls;
  expect(await recover(world)).toMatchObject({
    files: [{ path: 'out.log', outcome: 'lost', cause: expect.stringContaining(cause) }],
  });
  const writes = world.store.calls.slice(length).filter((call) => !/^(find|get)/.test(call));
  expect(writes).toEqual([`put ${log}`]);
});

test.each([
  ['of another session', (text: string) => text.replaceAll('"id":"a"', '"id":"b"'), undefined],
  ['that nobody says trainlogd wrote', (text: string) => text, {}],
])('a log %s is not touched', async (_, change, metadata) => {
  const { world } = await open({ 'out.log': 'aaaaaaaabbb' });
  const ours = world.store.versions(log).at(-1)?.object.metadata;
  world.store.seed(log, change(world.store.text(log)), metadata ?? ours);
  const { length } = world.store.versions(log);
  expect(await recover(world)).toEqual({ outcome: 'unreadable', key: log });
  expect(world.store.versions(log)).toHaveLength(length);
  expect(world.store.versions(key)).toEqual([]);
});

test.each<[string, Failure, boolean]>([
  ['fails', new Failure({ kind: 'transient', code: 'InternalError', attempted: 'x' }), false],
  [
    'is denied',
    new Failure({ kind: 'blocked', code: 'AccessDenied', attempted: 'x', remedy: 'y', denied: true }),
    true,
  ],
])('a file that %s holds no other up, and is completed when it is done again', async (_, failure, denied) => {
  const { world } = await open({ '1.log': 'aaaaaaaab', '2.log': 'ccccccccd', '3.log': 'eeeeeeeef' });
  world.store.failCall('complete', 2, failure);
  expect(await recover(world)).toMatchObject({
    status: 'interrupted',
    files: [
      { path: '1.log', outcome: 'completed' },
      { path: '2.log', outcome: 'failed', cause: 'x', denied },
      { path: '3.log', outcome: 'completed' },
    ],
  });
  const left = '[1.log:vanished 2.log:pending 3.log:vanished .:vanished]';
  expect(world.summary()).toEqual([`a interrupted 2 [1.log 3.log] ${left}`]);
  // At once: that the log was written just now is no sign of its host.
  expect(await recover(world, 0)).toMatchObject({ files: [{ path: '2.log', outcome: 'completed' }] });
  const all = '[1.log:vanished 2.log:vanished 3.log:vanished .:vanished]';
  expect(world.summary()).toEqual([`a interrupted 3 [1.log 2.log 3.log] ${all}`]);
  expect(world.store.versions(keyOf('1.log'))).toHaveLength(1);
});

test('where the destination takes nothing, it ends at once and nothing is said of the session', async () => {
  const { world } = await open({ '1.log': 'aaaaaaaab', '2.log': 'ccccccccd' });
  const gone = { kind: 'blocked', code: 'ENOTFOUND', attempted: 'x', remedy: 'y' } as const;
  world.store.failNext('complete', new Failure(gone));
  const before = world.store.versions(log).length;
  await expect(recover(world)).rejects.toMatchObject({ code: 'ENOTFOUND' });
  expect(world.store.versions(log)).toHaveLength(before);
  expect(await recover(world, 0)).toMatchObject({
    files: [{ outcome: 'completed' }, { outcome: 'completed' }],
  });
});

test('cut off after the log was written, it goes on at once', async () => {
  const { world, agent } = await open({ 'out.log': 'small' });
  world.folder.append('a/out.log', ' and large');
  await later(world, agent, snapshotEveryMs);
  await later(world, agent, settleMs);
  const gone = { kind: 'blocked', code: 'ENOTFOUND', attempted: 'x', remedy: 'y' } as const;
  world.store.failNext('complete', new Failure(gone));
  await expect(recover(world)).rejects.toMatchObject({ code: 'ENOTFOUND' });
  expect(world.log()).toMatchObject({ session: { status: 'running' }, companions: [] });
  expect(await recover(world, 0)).toMatchObject({ files: [{ outcome: 'completed', bytes: 8 }] });
});

test('a host that writes in between counts again', async () => {
  const { world } = await open({ '1.log': 'aaaaaaaab', '2.log': 'ccccccccd' });
  world.store.failCall('complete', 2, new Failure({ kind: 'transient', code: 'ECONNRESET', attempted: 'x' }));
  await recover(world);
  const back = world.start({ snapshotEveryMs });
  await back.look();
  await later(world, back, 3 * snapshotEveryMs);
  expect(world.log().session.status).toBe('running');
  expect(await recover(world, minuteMs)).toMatchObject({ outcome: 'tooEarly' });
});

test('two who recover at the same time do not write over each other', async () => {
  const { world } = await open({ 'out.log': 'aaaaaaaabbb' });
  await world.clock.advance(lostMs);
  const { store, clock } = world;
  const late = new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'put') return value.bind(target) as unknown;
      return async (...args: Parameters<typeof store.put>) => {
        await recover(world, 0);
        return store.put(...args);
      };
    },
  });
  const options = { store: late, keyTemplate, clock, snapshotEveryMs };
  await expect(recoverSession(options, 'a', new AbortController().signal)).rejects.toThrow(Conflict);
  expect(world.summary()).toEqual(['a interrupted 2 [out.log] [out.log:vanished .:vanished]']);
  expect(world.store.versions(key)).toHaveLength(1);
});
