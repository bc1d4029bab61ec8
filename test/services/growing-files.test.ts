import PQueue from 'p-queue';
import { expect, test } from 'vitest';
import { Failure, FileFailure } from '../../src/domain/failure.ts';
import { resumeKey } from '../../src/domain/object-key.ts';
import { readResumeRecord } from '../../src/domain/resume-record.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { GrowingFiles } from '../../src/services/growing-files.ts';
import type { TurnOutcome } from '../../src/services/growing-parts.ts';
import { holdPart } from '../fakes/held-part.ts';
import type { MemoryStoreOptions } from '../fakes/memory-store.ts';
import { eventually } from '../support/eventually.ts';
import {
  idleMs,
  keyTemplate,
  type StartOptions,
  settleMs,
  type TestAgent,
  World,
} from '../support/services.ts';

const snapshotEveryMs = 5 * 60_000;
const dayMs = 24 * 3_600_000;
const completed = '{"status":"completed"}';
const key = 'training-logs/companions/2026/01/a/out.log';
const log = 'training-logs/2026/01/a.log';
const resumePrefix = 'training-logs/companions/2026/01/a/.resume/';

/** An open session `a` with a file, of which the log is in the bucket. Parts are of 8 bytes. */
async function open(
  text: string,
  options: MemoryStoreOptions['parts'] = { firstBytes: 8 },
  start: StartOptions = {},
): Promise<{ world: World; agent: TestAgent }> {
  const world = new World({ parts: options });
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', text);
  const agent = world.start({ snapshotEveryMs, ...start });
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

async function grow(world: World, agent: TestAgent, text: string): Promise<void> {
  world.folder.append('a/out.log', text);
  await agent.look();
  await later(world, agent, settleMs);
}

/** What the one open upload holds. */
function inBucket(world: World): string {
  const [upload, ...others] = world.store.openUploads();
  expect(others).toEqual([]);
  return [...(upload?.parts.values() ?? [])].map(({ bytes }) => bytes.toString()).join('|');
}

function record(world: World) {
  const [only = '', ...others] = world.store.keys(resumePrefix);
  expect(others).toEqual([]);
  return readResumeRecord(world.store.text(only));
}

/** Every version of the file's record: of which upload, how many parts. */
function recorded(world: World): string[] {
  const [only = ''] = world.store.keys(resumePrefix);
  return world.store.versions(only).map(({ bytes }) => {
    const { uploadId, parts } = readResumeRecord(bytes.toString()) ?? {};
    return `${uploadId} ${parts?.length}`;
  });
}

const sent = (world: World) => world.store.calls.filter((call) => call === `sendPart ${key}`).length;

async function finish(world: World, agent: TestAgent): Promise<void> {
  world.folder.write('a/result.json', completed);
  await agent.deliver();
}

test('whole parts go up as they settle; the end sends the tail alone', async () => {
  const { world, agent } = await open('aaaaaaaabbb');
  expect(inBucket(world)).toBe('aaaaaaaa');
  await grow(world, agent, 'bbbbbc');
  expect(inBucket(world)).toBe('aaaaaaaa|bbbbbbbb');
  expect(sent(world)).toBe(2);
  world.folder.append('a/out.log', 'ccd');
  await finish(world, agent);
  expect(sent(world)).toBe(3);
  expect(world.store.text(key)).toBe('aaaaaaaabbbbbbbbcccd');
  expect(world.store.openUploads()).toEqual([]);
  expect(world.summary()).toEqual(['a completed 2 [out.log] []']);
});

test('nothing is sent before the log of the session is certain in the bucket', async () => {
  const world = new World({ parts: { firstBytes: 8 }, createIsAtomic: false, createSettleMs: 30_000 });
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', 'aaaaaaaabbb');
  const agent = world.start({ snapshotEveryMs });
  await agent.look();
  await later(world, agent, settleMs);
  await agent.grown();
  expect(world.store.calls).toEqual([]);
  await later(world, agent, snapshotEveryMs - settleMs);
  expect(world.store.versions(log)).toHaveLength(1);
  expect(world.store.openUploads()).toEqual([]);
  await world.clock.advance(30_000);
  await agent.ship();
  await agent.grown();
  expect(inBucket(world)).toBe('aaaaaaaa');
});

test('bytes that were written just now wait for the settle time', async () => {
  const { world, agent } = await open('aaaaaaaa');
  world.folder.append('a/out.log', 'bbbbbbbb');
  await agent.look();
  await later(world, agent, settleMs - 1);
  expect(inBucket(world)).toBe('aaaaaaaa');
  world.folder.append('a/out.log', 'cccccccc');
  await later(world, agent, 1);
  expect(inBucket(world)).toBe('aaaaaaaa|bbbbbbbb');
});

test('each turn leaves a record from which another host could complete', async () => {
  const { world, agent } = await open('aaaaaaaabbb');
  expect(record(world)).toMatchObject({ session: 'a', path: 'out.log', key, condition: { absent: true } });
  expect(record(world)?.parts).toHaveLength(1);
  expect(record(world)?.schedule).toEqual({ ageMs: snapshotEveryMs, everyMs: snapshotEveryMs });
  await grow(world, agent, 'bbbbbcccccccc');
  expect(record(world)?.parts.map(({ number, sizeBytes }) => [number, sizeBytes])).toEqual([
    [1, 8],
    [2, 8],
    [3, 8],
  ]);
  expect(record(world)?.uploadId).toBe(world.store.openUploads()[0]?.uploadId);
  expect(world.store.text(world.store.keys(resumePrefix)[0] ?? '')).not.toContain('/watched');
});

test('a record that could not be written is written later, without sending a part again', async () => {
  const { world, agent } = await open('aaaaaaaa');
  // Its log, then its record: the part in between is no put.
  world.store.failNext('put', new Failure({ kind: 'transient', code: 'SlowDown', attempted: 'writing "k"' }));
  await grow(world, agent, 'bbbbbbbb');
  expect(record(world)?.parts).toHaveLength(1);
  await world.clock.advance(60_000);
  await agent.grown();
  expect(record(world)?.parts).toHaveLength(2);
  expect(sent(world)).toBe(2);
});

test('a record whose answer was lost is replaced by the next', async () => {
  const { world, agent } = await open('aaaaaaaa');
  world.store.failNext(
    'put',
    new Failure({ kind: 'transient', code: 'TimeoutError', attempted: 'writing "k"' }),
    'after',
  );
  await grow(world, agent, 'bbbbbbbb');
  await world.clock.advance(60_000);
  await agent.grown();
  await grow(world, agent, 'cccccccc');
  expect(record(world)?.parts).toHaveLength(3);
});

test('a record of somebody else stays, and the file grows on', async () => {
  const { world, agent } = await open('aaaa');
  const own = resumeKey(keyTemplate, world.clock.nowMs(), 'a', 'out.log');
  world.store.seed(own, 'not ours', { origin: 'elsewhere' });
  await grow(world, agent, 'aaaabbbbbbbb');
  expect(world.store.text(own)).toBe('not ours');
  await finish(world, agent);
  expect(world.store.text(key)).toBe('aaaaaaaabbbbbbbb');
});

test('after a restart it goes on at the next part', async () => {
  const { world } = await open('aaaaaaaabbbbbbbb');
  const next = world.start({ snapshotEveryMs });
  await next.look();
  await grow(world, next, 'cccccccc');
  expect(sent(world)).toBe(3);
  expect(inBucket(world)).toBe('aaaaaaaa|bbbbbbbb|cccccccc');
});

test.each<[string, (world: World) => void]>([
  [
    'was cut and written anew, longer',
    (world) => world.folder.write('a/out.log', 'zzzzzzzzyyyyyyyyxxxxxxxxw'),
  ],
  [
    'was replaced by another',
    (world) => {
      world.folder.remove('a/out.log');
      world.folder.write('a/out.log', 'zzzzzzzzyyyyyyyyxxxxxxxxw');
    },
  ],
])('a file that %s starts over, and the bucket has what it is', async (_, change) => {
  const { world, agent } = await open('aaaaaaaabbbbbbbb');
  const [before] = world.store.openUploads();
  change(world);
  await agent.look();
  await later(world, agent, settleMs);
  expect(world.events.of('upload.restarted')).toHaveLength(1);
  expect(record(world)?.uploadId).not.toBe(before?.uploadId);
  await finish(world, agent);
  expect(world.store.text(key)).toBe('zzzzzzzzyyyyyyyyxxxxxxxxw');
  expect(world.log()).toMatchObject({ companions: [{ bytes: 25 }], missing: [] });
});

test('a file that was cut below what was sent starts over, and its record names nothing that is gone', async () => {
  const { world, agent } = await open('aaaaaaaabbbbbbbb');
  world.folder.write('a/out.log', 'zzzzzzzzy');
  await agent.look();
  await agent.grown();
  // Nothing of it is settled yet.
  expect(world.events.of('upload.restarted')).toEqual([]);
  await later(world, agent, settleMs);
  expect(world.events.of('upload.restarted')).toHaveLength(1);
  expect(recorded(world)).toEqual(['upload-1 2', 'upload-1 0', 'upload-2 1']);
  world.store.forgetUpload('upload-1');
  expect(inBucket(world)).toBe('zzzzzzzz');
  await finish(world, agent);
  expect(world.store.text(key)).toBe('zzzzzzzzy');
  expect(world.events.of('upload.restarted')).toHaveLength(1);
});

test('a file that was cut below a part goes whole with the next snapshot', async () => {
  const { world, agent } = await open('aaaaaaaabbbbbbbb');
  world.folder.write('a/out.log', 'zzzz');
  await agent.look();
  await later(world, agent, snapshotEveryMs);
  expect(world.store.text(key)).toBe('zzzz');
  expect(world.summary()).toEqual(['a running 2 [out.log] []']);
  await finish(world, agent);
  expect(world.summary()).toEqual(['a completed 3 [out.log] []']);
});

test.each<[string, 'before' | 'after', string]>([
  ['is not made', 'before', 'upload-1 2'],
  ['is made, and nobody lives to hear of it', 'after', 'upload-1 0'],
])('what was sent is given up only once its record is void: one that %s', async (_, moment, record) => {
  const { world, agent } = await open('aaaaaaaabbbbbbbb');
  world.folder.write('a/out.log', 'zzzzzzzzyyyyyyyyxxxxxxxxw');
  await agent.look();
  await world.clock.advance(settleMs);
  const lost = new Failure({ kind: 'transient', code: 'ECONNRESET', attempted: 'writing "k"' });
  world.store.failNext('put', lost, moment);
  await agent.look();
  await agent.grown();
  await agent.growing?.stop();
  expect(recorded(world).at(-1)).toBe(record);
  expect(world.events.of('upload.restarted')).toEqual([]);
  expect(agent.journal.openUpload(1, 'out.log')?.uploadId).toBe('upload-1');
  const next = world.start({ snapshotEveryMs });
  await next.look();
  await later(world, next, settleMs);
  expect(world.events.of('upload.restarted')).toHaveLength(1);
  expect(recorded(world).slice(-2)).toEqual(['upload-1 0', 'upload-2 3']);
});

test('where nobody may have recorded anything, nothing is made void', async () => {
  const { world, agent } = await open('aaaa');
  world.store.failNext('sendPart', new Failure({ kind: 'transient', code: 'SlowDown', attempted: 'x' }));
  await grow(world, agent, 'bbbb');
  world.folder.remove('a/out.log');
  world.folder.write('a/out.log', 'zzzzzzzzyyyyyyyy');
  await agent.look();
  await later(world, agent, settleMs);
  await finish(world, agent);
  expect(world.events.of('upload.restarted')).toMatchObject([{ sentBytes: 0 }]);
  expect(recorded(world).filter((text) => text.endsWith(' 0'))).toEqual([]);
  expect(world.store.text(key)).toBe('zzzzzzzzyyyyyyyy');
});

test('where a record is never taken, what was sent is given up all the same', async () => {
  const { world, agent } = await open('aaaaaaaabbbbbbbb');
  world.folder.write('a/out.log', 'zzzzzzzzyyyyyyyyxxxxxxxxw');
  await agent.look();
  await world.clock.advance(settleMs);
  const refused = { kind: 'permanent', code: 'InvalidRequest', attempted: 'x', remedy: 'y' } as const;
  world.store.failNext('put', new Failure(refused));
  await agent.look();
  await agent.grown();
  expect(world.events.of('upload.restarted')).toHaveLength(1);
  world.store.forgetUpload('upload-1');
  expect(inBucket(world)).toBe('zzzzzzzz|yyyyyyyy|xxxxxxxx');
});

test('silence completes the file; what it grows by later is sent alone, the rest is copied', async () => {
  const { world, agent } = await open('aaaaaaaabbb');
  await world.clock.advance(idleMs);
  await agent.deliver();
  expect(world.summary()).toEqual(['a stalled 2 [out.log] []']);
  world.folder.append('a/out.log', 'bbbbbc');
  await agent.look();
  await later(world, agent, 2 * 3_600_000 - 1);
  expect(world.log().session.status).toBe('running');
  expect(inBucket(world)).toBe('aaaaaaaa|bbbbbbbb');
  expect(sent(world)).toBe(3);
  expect(record(world)?.condition).toEqual({ etag: world.store.versions(key).at(-1)?.object.etag });
  await finish(world, agent);
  expect(sent(world)).toBe(4);
  expect(world.store.text(key)).toBe('aaaaaaaabbbbbbbbc');
  expect(world.store.versions(key)).toHaveLength(2);
});

test('no upload stays open for more than five days: it becomes an object, and goes on as a copy of it', async () => {
  const { world, agent } = await open('aaaaaaaabbb');
  for (let day = 0; day < 7; day++) {
    for (let part = 0; part < 24; part++) {
      world.folder.append('a/out.log', '.');
      await agent.look();
      await later(world, agent, dayMs / 24);
      const [upload] = agent.journal.openUploads(1);
      expect(world.clock.nowMs() - (upload?.beganAtMs ?? world.clock.nowMs())).toBeLessThanOrEqual(
        5.1 * dayMs,
      );
    }
  }
  expect(world.store.versions(key)).toHaveLength(1);
  expect(world.log().session.status).toBe('running');
  const before = sent(world);
  expect(before).toBeLessThanOrEqual(24);
  await finish(world, agent);
  expect(world.store.text(key)).toBe(`aaaaaaaabbb${'.'.repeat(7 * 24)}`);
  expect(world.store.versions(key)).toHaveLength(2);
  expect(world.log()).toMatchObject({ companions: [{ path: 'out.log', bytes: 179 }], missing: [] });
});

test('an upload that the bucket forgot starts over', async () => {
  const { world, agent } = await open('aaaaaaaabbb');
  world.store.forgetUpload(world.store.openUploads()[0]?.uploadId ?? '');
  await grow(world, agent, 'bbbbb');
  expect(inBucket(world)).toBe('aaaaaaaa|bbbbbbbb');
  await finish(world, agent);
  expect(world.store.text(key)).toBe('aaaaaaaabbbbbbbb');
});

test('a part that fails for a while is sent later', async () => {
  const { world, agent } = await open('aaaaaaaa');
  world.store.failNext(
    'sendPart',
    new Failure({ kind: 'transient', code: 'SlowDown', attempted: 'sending "k"' }),
  );
  await grow(world, agent, 'bbbbbbbb');
  expect(inBucket(world)).toBe('aaaaaaaa');
  await world.clock.advance(60_000);
  await agent.grown();
  expect(inBucket(world)).toBe('aaaaaaaa|bbbbbbbb');
});

test('a file that cannot be opened is left to the next look, and no service fails', async () => {
  const { world, agent } = await open('aaaaaaaa');
  world.folder.failOpen(
    'a/out.log',
    new FileFailure('unreadable', 'EACCES', 'opening "a/out.log"', 'let it be read'),
  );
  await grow(world, agent, 'bbbbbbbb');
  expect(inBucket(world)).toBe('aaaaaaaa');
  world.folder.failOpen('a/out.log', undefined);
  await grow(world, agent, 'c');
  expect(inBucket(world)).toBe('aaaaaaaa|bbbbbbbb');
});

test('what is finished goes first, before each turn', async () => {
  const world = new World({ parts: { firstBytes: 8 } });
  const agent = world.start();
  const queue = new PQueue({ concurrency: 1 });
  const order: string[] = [];
  const finished = (name: string) => void queue.add(async () => void order.push(name));
  const turns: TurnOutcome[] = ['more', 'more', 'done'];
  const parts = {
    send: async () => {
      order.push('turn');
      if (turns.length === 3) finished('second');
      return turns.shift() ?? 'done';
    },
  };
  const files = new GrowingFiles({ context: agent.context, parts, queue, filesMax: 1 });
  const blocked = Promise.withResolvers<void>();
  void queue.add(() => blocked.promise);
  files.want({ sid: 1, root: 'a', kind: 'directory', path: 'out.log', settledBytes: 99 });
  finished('first');
  blocked.resolve();
  await eventually(() => files.isIdle);
  expect(order).toEqual(['first', 'turn', 'second', 'turn', 'turn']);
});

test('the job of a file begins when no part of it is in flight any more: none goes twice', async () => {
  const held = Promise.withResolvers<void>();
  const store = (real: ObjectStore) => holdPart(real, 2, held.promise);
  const { world, agent } = await open('aaaaaaaa', { firstBytes: 8 }, { store });
  world.folder.append('a/out.log', 'bbbbbbbbc');
  await agent.look();
  await world.clock.advance(settleMs);
  await agent.look();
  world.folder.write('a/result.json', completed);
  await agent.lookTwice();
  const shipped = agent.ship();
  await world.clock.advance(0);
  held.resolve();
  await shipped;
  await agent.grown();
  expect(sent(world)).toBe(3);
  expect(world.store.text(key)).toBe('aaaaaaaabbbbbbbbc');
  expect(world.summary()).toEqual(['a completed 2 [out.log] []']);
});

test('a file that is on its way whole does not grow meanwhile', async () => {
  const held = Promise.withResolvers<void>();
  const store = (real: ObjectStore) => holdPart(real, 'complete', held.promise);
  const { world, agent } = await open('aaaaaaaa', { firstBytes: 8 }, { store });
  const { dev, ino } = world.folder.statAt('a/out.log') ?? {};
  world.processes.openFiles.add(`${dev}:${ino}`);
  await world.clock.advance(5 * dayMs);
  world.folder.append('a/out.log', 'b');
  await agent.look();
  const shipped = agent.ship();
  await world.clock.advance(settleMs);
  world.folder.append('a/out.log', 'bbbbbbbcccccccc');
  await agent.look();
  await world.clock.advance(settleMs);
  await agent.look();
  await agent.grown();
  const before = sent(world);
  held.resolve();
  await shipped;
  expect(before).toBe(2);
  expect(world.store.text(key)).toBe('aaaaaaaab');
  expect(world.summary()).toEqual(['a running 2 [out.log] []']);
});

test('where the destination knows no parts, nothing grows there', async () => {
  const world = new World();
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', 'x'.repeat(900_000));
  const agent = world.start({ snapshotEveryMs });
  await agent.look();
  await later(world, agent, snapshotEveryMs);
  expect(world.summary()).toEqual(['a running 2 [out.log] []']);
  world.folder.append('a/out.log', 'x'.repeat(99_999));
  await later(world, agent, snapshotEveryMs);
  expect(world.log()).toMatchObject({ companions: [{ bytes: 999_999 }], missing: [] });
});
