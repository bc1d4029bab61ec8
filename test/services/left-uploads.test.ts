import { expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { readResumeRecord } from '../../src/domain/resume-record.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import type { PartStore } from '../../src/ports/part-store.ts';
import { guardWrites } from '../../src/services/leased-store.ts';
import { unshared } from '../../src/services/session-sharing.ts';
import { MemoryLeases } from '../fakes/memory-leases.ts';
import { folder, type StartOptions, type TestAgent, World } from '../support/services.ts';

const minute = 60_000;
const never = new AbortController().signal;
const bytes = 'AAAAAAAABBBBBBBBCCCCCCCCdd';

/** One folder, two hosts; the first has sent two parts of four when it is cut off, and says so. */
async function halfSent(options: StartOptions = {}) {
  const world = new World({ parts: { firstBytes: 8 } });
  const leases = new MemoryLeases(async (root) => (await world.folder.list(root, never)) !== undefined);
  world.folder.write('run/session.json', '{}');
  world.folder.write('run/x.txt', bytes);
  world.folder.write('run/result.json', '{"status":"completed"}');
  const host = (name: string, more: StartOptions = {}) => world.start({ host: name, leases, ...more });
  const a = host('a', options);
  world.store.failCall('sendPart', 3, new Failure({ kind: 'transient', code: 'ECONNRESET', attempted: 'x' }));
  await a.deliver();
  await a.shipping.logAsItIs(1, never);
  const [upload] = world.store.openUploads();
  const [recordKey = ''] = world.store.keys().filter((key) => key.includes('/.resume/'));
  if (!upload || recordKey === '') return expect.fail('nothing of the file is in the bucket');
  expect(readResumeRecord(world.store.text(recordKey))?.parts).toHaveLength(2);
  const key = recordKey.replace(/\.resume\/.*/, 'x.txt');
  const before = world.store.calls.length;
  const calls = (operation: string) =>
    world.store.calls.slice(before).filter((call) => call === `${operation} ${key}`).length;
  /** Replaces fields of the record, as the host that wrote it. */
  const rewrite = (fields: object, metadata = world.store.versions(recordKey).at(-1)?.object.metadata) =>
    world.store.seed(
      recordKey,
      JSON.stringify({ ...JSON.parse(world.store.text(recordKey)), ...fields }),
      metadata,
    );
  return { world, host, a, upload, recordKey, key, calls, rewrite };
}

type Half = Awaited<ReturnType<typeof halfSent>>;

/** The first ended in order, and the next one finds the session. */
async function handOver({ a, host }: Half, more: StartOptions = {}): Promise<TestAgent> {
  await a.keeper?.stop();
  const b = host('b', more);
  await b.deliver();
  return b;
}

test('a host that takes a session over goes on at the next part, in the same upload', async () => {
  const half = await halfSent();
  const { world, key, calls } = half;
  await handOver(half);
  expect(world.summary()).toEqual([expect.stringMatching(/^run completed \d+ \[x.txt\] \[\]$/)]);
  expect(world.store.text(key)).toBe(bytes);
  expect([calls('begin'), calls('sendPart'), calls('complete')]).toEqual([0, 2, 1]);
  expect(world.events.of('upload.continued')).toEqual([
    { session: expect.stringMatching(/^run-/), path: 'x.txt', sentBytes: 16 },
  ]);
  expect(world.events.of('upload.restarted')).toEqual([]);
  expect(world.store.openUploads()).toEqual([]);
});

test('a journal that was lost costs no part that a record names', async () => {
  const half = await halfSent();
  // A session of a few small files goes without the first log, which is what is found.
  for (let n = 0; n < 8; n++) half.world.folder.write(`run/${n}.txt`, 'x');
  await half.world.start({ host: 'a', lost: true }).deliver();
  expect(half.world.store.text(half.key)).toBe(bytes);
  expect([half.calls('begin'), half.calls('sendPart')]).toEqual([0, 2]);
});

test('what a host took over it goes on with after a kill, without another look', async () => {
  const half = await halfSent();
  const { world, calls, recordKey, key } = half;
  world.store.failNext('sendPart', new Failure({ kind: 'transient', code: 'ECONNRESET', attempted: 'x' }));
  const b = await handOver(half);
  expect(calls('complete')).toBe(0);
  // What has the first host's token may be the first host's object.
  expect(b.journal.openUpload(1, 'x.txt')).toMatchObject({ uploadId: half.upload.uploadId });
  expect(b.journal.openUpload(1, 'x.txt')?.token).toBeUndefined();
  const looks = () => world.store.calls.filter((call) => call === `get ${recordKey}`).length;
  expect(looks()).toBe(1);
  await half.host('b').deliver();
  expect(world.store.text(key)).toBe(bytes);
  expect([looks(), calls('begin'), calls('sendPart')]).toEqual([1, 0, 3]);
});

const other = 'another file, of the same length'.slice(0, bytes.length);

test.each<[string, (half: Half) => unknown, text?: string]>([
  ['it is written anew', ({ world }) => world.folder.write('run/x.txt', other), other],
  ['it is shorter', ({ world }) => world.folder.write('run/x.txt', 'AAAAAAAABBBB'), 'AAAAAAAABBBB'],
  ['it goes to another key', ({ rewrite }) => rewrite({ key: 'training-logs/companions/2026/01/b/x.txt' })],
  ['the record is of another session', ({ rewrite }) => rewrite({ session: 'b' })],
  ['the record is of another file', ({ rewrite }) => rewrite({ path: 'y.txt' })],
  ['the record is void', ({ rewrite }) => rewrite({ parts: [] })],
  ['the record is of a later version', ({ rewrite }) => rewrite({ version: 2 })],
  ['the record is not ours', ({ rewrite }) => rewrite({}, { origin: 'elsewhere' })],
  [
    'the record is damaged',
    ({ world, recordKey, rewrite }) => world.store.seed(recordKey, '{', rewrite({}).metadata),
  ],
  [
    'parts are cut otherwise here',
    ({ world }) => Object.assign(world.store.parts ?? {}, { layout: { firstBytes: 16, doublesEvery: 0 } }),
  ],
])('a file begins anew when %s', async (_, change, text = bytes) => {
  const half = await halfSent();
  const { world, key, calls, upload } = half;
  change(half);
  await handOver(half);
  expect(world.store.text(key)).toBe(text);
  expect(calls('begin')).toBe(1);
  expect(world.store.versions(key)).toHaveLength(1);
  expect(world.events.of('upload.continued')).toEqual([]);
  // It may be the other host's still.
  expect(world.store.openUploads().map(({ uploadId }) => uploadId)).toEqual([upload.uploadId]);
});

test('a file begins anew, with a warning, when the bucket has forgotten the upload', async () => {
  const half = await halfSent();
  half.world.store.forgetUpload(half.upload.uploadId);
  await handOver(half);
  expect(half.world.store.text(half.key)).toBe(bytes);
  expect([half.calls('begin'), half.world.events.of('upload.restarted').length]).toEqual([1, 1]);
});

test.each([
  ['denied', 'permanent', 1],
  ['cut off', 'transient', 0],
] as const)('a record whose look is %s costs copying at most', async (_, kind, begun) => {
  const half = await halfSent();
  const { world, recordKey, key, calls } = half;
  let refusals = 1;
  const get: ObjectStore['get'] = async (at, bytesMax, signal) => {
    if (at === recordKey && refusals-- > 0)
      throw new Failure({ kind, code: 'X', attempted: 'x', remedy: 'none' });
    return world.store.get(at, bytesMax, signal);
  };
  const store = (base: ObjectStore): ObjectStore => ({ ...guardWrites(base, unshared), get });
  const b = await handOver(half, { store });
  await world.clock.advance(10 * minute);
  await b.keeper?.round();
  await b.ship();
  expect(world.store.text(key)).toBe(bytes);
  expect(calls('begin')).toBe(begun);
});

/** The first host stands still in the middle of a part, while the second takes its session over. */
async function suspended() {
  const thaw = Promise.withResolvers<void>();
  const froze = Promise.withResolvers<void>();
  const half = await halfSent({
    store: (base) => {
      const { parts, ...store } = guardWrites(base, unshared);
      if (!parts) return base;
      let sent = 0;
      const send: PartStore['send'] = async (...args) => {
        sent += 1;
        if (sent === 4) {
          froze.resolve();
          await thaw.promise;
        }
        return parts.send(...args);
      };
      return { ...store, parts: { ...parts, send } };
    },
  });
  const { world, a, host } = half;
  await world.clock.advance(2_000);
  const shipping = a.ship();
  await froze.promise;
  const b = host('b');
  await b.look();
  for (let left = 6.5 * minute; left > 0; left -= minute / 4) {
    await world.clock.advance(minute / 4);
    await b.keeper?.round();
  }
  const wake = async () => {
    thaw.resolve();
    await shipping;
  };
  return { ...half, b, wake };
}

test('a host that wakes in the middle of a part of an upload that another completed changes nothing', async () => {
  const { world, a, b, key, wake, calls } = await suspended();
  await b.deliver();
  expect(world.events.of('upload.continued')).toHaveLength(1);
  const written = world.store.keys().map((at) => world.store.versions(at).length);
  await wake();
  await a.deliver();
  expect(world.store.keys().map((at) => world.store.versions(at).length)).toEqual(written);
  expect(world.store.text(key)).toBe(bytes);
  expect([calls('begin'), calls('complete')]).toEqual([0, 1]);
  expect(a.journal.sessions(folder).map(({ phase }) => phase)).toEqual(['elsewhere']);
});

test.each([
  ['the same bytes', 'AAAAAAAA', 0],
  ['other bytes', 'ZZZZZZZZ', 1],
])(
  'a part that the first host sends late, with %s, is in no object that is not the file',
  async (_, late, begun) => {
    const half = await halfSent();
    const { world, upload, key, calls } = half;
    const { parts } = world.store;
    if (!parts) return expect.fail('the store takes no parts');
    const { complete } = parts;
    parts.complete = async (...args) => {
      parts.complete = complete;
      const source = {
        sizeBytes: 8,
        read: async () => Buffer.from(late),
        assertUnchanged: async () => undefined,
      };
      const range = { number: 1, position: 0, sizeBytes: 8 };
      await parts.send({ ...args[0], uploadId: upload.uploadId }, range, source, never);
      return complete.apply(parts, args);
    };
    await handOver(half);
    expect(world.store.versions(key).map((version) => version.bytes.toString())).toEqual([bytes]);
    expect(calls('begin')).toBe(begun);
    expect(world.log()).toMatchObject({ companions: [{ path: 'x.txt' }], missing: [] });
  },
);

test('an object that the first host completed after all is not taken for what the second was to make', async () => {
  const half = await halfSent();
  const { world, upload, key } = half;
  const { parts } = world.store;
  const record = readResumeRecord(world.store.text(half.recordKey));
  if (!parts || !record) return expect.fail('nothing is there to complete');
  const { complete } = parts;
  parts.complete = async (...args) => {
    parts.complete = complete;
    const { metadata } = upload;
    await complete.call(
      parts,
      { ...record, origin: metadata['origin'] },
      record.parts,
      { absent: true },
      never,
    );
    return complete.apply(parts, args);
  };
  const b = await handOver(half);
  await world.clock.advance(minute);
  await b.keeper?.round();
  await b.ship();
  expect(world.store.versions(key).map((version) => version.bytes.toString())).toEqual([
    bytes.slice(0, 16),
    bytes,
  ]);
  expect(world.log().companions.map(({ bytes: size }) => size)).toEqual([bytes.length]);
});

test('a session that comes back to a host is not continued by an upload that this host has given up', async () => {
  const half = await halfSent();
  const { a, host, world, calls, upload } = half;
  await a.keeper?.stop();
  const b = host('b');
  await b.look();
  await b.keeper?.stop();
  const again = host('a');
  await again.deliver();
  expect(world.events.of('lease.taken').map(({ from }) => from)).toEqual(['a', 'b']);
  expect(world.store.text(half.key)).toBe(bytes);
  expect([calls('begin'), world.events.of('upload.continued').length]).toEqual([1, 0]);
  expect(again.journal.abandonedUploads(9)).toMatchObject([{ uploadId: upload.uploadId }]);
});

test('an upload that is given up here is not taken up again by a record that is not void yet', async () => {
  const { a, world, calls, key } = await halfSent();
  const reason = { reason: 'pending', code: 'ECONNRESET', cause: 'x', remedy: 'none' } as const;
  a.journal.giveUpUpload(1, 'x.txt');
  // What is known of its log is in doubt.
  a.journal.postpone(1, 0, reason);
  await world.clock.advance(minute);
  await a.ship();
  expect(world.store.text(key)).toBe(bytes);
  expect([calls('begin'), world.events.of('upload.continued').length]).toEqual([1, 0]);
});
