import { expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { eventually } from '../support/eventually.ts';
import { folder, World } from '../support/services.ts';

const large = 'training-logs/companions/2026/01/a/large.bin';
const hourMs = 3_600_000;
const bytes = 'abcdefghijklmnopqrstuvwxyz'.repeat(4);
/** Parts of ten bytes. */
const partsOfLarge = 11;

function finished(world = new World({ parts: { firstBytes: 10 } })): World {
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/large.bin', bytes);
  world.folder.write('a/result.json', '{"status":"completed"}');
  return world;
}

function failure(kind: Failure['kind'], code: string): Failure {
  return new Failure({ kind, code, attempted: `sending: ${code}`, remedy: 'renew them' });
}

const sentParts = (world: World) => world.store.calls.filter((call) => call === `sendPart ${large}`).length;

test('credentials that expire for an hour in the middle cost no attempt and no part but those in flight', async () => {
  const world = finished();
  const partConcurrency = 3;
  const agent = world.start({ partConcurrency });
  let isExpired = false;
  const { parts } = world.store;
  if (!parts) return expect.fail('the store has no parts');
  const send = parts.send.bind(parts);
  parts.send = async (...request) => {
    if (sentParts(world) === 5) isExpired = true;
    if (!isExpired) return await send(...request);
    world.store.calls.push('expired');
    throw failure('blocked', 'ExpiredToken');
  };
  await agent.lookTwice();
  const shipping = agent.ship();
  await eventually(() => agent.gate.state());
  const [sid = 0] = agent.journal.dueSessions(folder, world.clock.monotonicMs(), 1);
  await eventually(() => agent.journal.openUpload(sid, 'large.bin')?.parts.length === 5);
  const blockedMs = world.clock.monotonicMs();
  while (world.clock.monotonicMs() < blockedMs + hourMs) {
    await world.clock.advance(60_000);
    expect(agent.journal.backlog(folder)).toMatchObject({ shipping: 1, pendingFiles: 1 });
    expect(agent.journal.files(sid).map(({ attempts }) => attempts)).toEqual([0, 0, 0]);
  }
  expect(agent.journal.uploadCounts()).toMatchObject({ open: 1, openBytes: 50 });
  expect(world.events.of('destination.blocked').length).toBeGreaterThan(0);
  isExpired = false;
  parts.send = send;
  await eventually(async () => {
    await world.clock.advance(60_000);
    return !agent.journal.hasUnfinished(folder);
  });
  await shipping;
  expect(world.store.text(large)).toBe(bytes);
  expect(sentParts(world)).toBe(partsOfLarge);
  expect(world.events.of('upload.retry')).toEqual([]);
  expect(world.events.of('upload.restarted')).toEqual([]);
  expect(world.summary()).toEqual(['a completed 2 [large.bin] []']);
});

test('tries that move parts are counted anew, so that a bad link is not waited for ever longer', async () => {
  const world = finished();
  const agent = world.start();
  for (let call = 2; call <= 20; call += 2)
    world.store.failCall('sendPart', call, failure('transient', 'TimeoutError'));
  await agent.lookTwice();
  await eventually(async () => {
    await agent.ship();
    await world.clock.advance(1_000);
    return !agent.journal.hasUnfinished(folder);
  });
  expect(world.store.text(large)).toBe(bytes);
  expect(new Set(world.events.of('upload.retry').map(({ attempt }) => attempt))).toEqual(new Set([1]));
});

/** Five of the parts are in the bucket, and the file is still queued. */
async function halfSent(world = finished()) {
  const agent = world.start();
  world.store.failCall('sendPart', 6, failure('transient', 'TimeoutError'));
  await agent.deliver();
  expect(agent.journal.uploadCounts()).toMatchObject({ open: 1, openBytes: 50 });
  return { world, agent };
}

test('the parts of a file that is gone are given up with it', async () => {
  const world = finished();
  world.folder.claimsPossible = false;
  const { agent } = await halfSent(world);
  world.folder.remove('a/large.bin');
  await world.clock.advance(60_000);
  await agent.deliver();
  expect(world.summary()).toEqual(['a completed 2 [] [large.bin:vanished]']);
  expect(agent.journal.uploadCounts()).toEqual({ open: 0, openBytes: 0, abandoned: 1, abandonedBytes: 50 });
});

test('the parts of a file that became small are given up when it is put whole', async () => {
  const { world, agent } = await halfSent();
  world.folder.write('a/large.bin', 'abc');
  await world.clock.advance(60_000);
  await agent.deliver();
  expect(world.store.text(large)).toBe('abc');
  expect(agent.journal.uploadCounts()).toMatchObject({ open: 0, abandoned: 1 });
});

test('a session that moves to another id leaves its parts, and says so in the log that it leaves', async () => {
  const { world, agent } = await halfSent();
  const log = 'training-logs/2026/01/a.log';
  world.store.seed(large, 'somebody else', { origin: 'another' });
  await world.clock.advance(60_000);
  await agent.deliver();
  expect(world.store.text(large)).toBe('somebody else');
  const other = world.logKeys().find((key) => key !== log) ?? '';
  const { id } = world.log(other).session;
  expect(world.log(other).companions).toMatchObject([{ path: 'large.bin' }]);
  expect(world.log(log)).toMatchObject({
    session: { id: 'a', status: 'completed', revision: 2 },
    companions: [],
    missing: [{ path: 'large.bin' }],
    warnings: [expect.stringContaining(`this session is shipped as "${id}"`)],
  });
  expect(agent.journal.uploadCounts()).toMatchObject({ open: 0, abandoned: 1 });
});

test('a file that grew after it was completed sends what is new, and copies the rest', async () => {
  const world = finished();
  const agent = world.start();
  await agent.deliver();
  const before = sentParts(world);
  world.folder.append('a/large.bin', 'more');
  await agent.deliver();
  expect(world.store.text(large)).toBe(`${bytes}more`);
  expect(sentParts(world) - before).toBe(1);
  expect(world.store.calls.filter((call) => call === `copyPart ${large}`)).toHaveLength(10);
  expect(world.summary()).toEqual(['a completed 4 [large.bin] []']);
});
