import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SumThread } from '../../src/adapters/sum-thread.ts';
import { formatCrc32 } from '../../src/domain/crc32-combine.ts';
import { patternBytes } from '../support/byte-source.ts';

const mib = 1024 * 1024;
const both = { md5: true, sha256: true };

function threadOf(): SumThread {
  const thread = new SumThread();
  onTestFinished(() => thread.close());
  return thread;
}

function sumsOf(bytes: Buffer) {
  const hash = (name: string) => createHash(name).update(bytes).digest();
  return { crc32: formatCrc32(crc32(bytes)), md5: hash('md5'), sha256: hash('sha256') };
}

function shared(bytes: Buffer): Buffer {
  const copy = Buffer.from(new SharedArrayBuffer(bytes.length));
  bytes.copy(copy);
  return copy;
}

describe.each([
  ['in place', 10],
  ['in the thread', 4 * mib],
])('sums made %s', (_, sizeBytes) => {
  test.each([
    ['shared memory', shared],
    ['other memory', (bytes: Buffer) => bytes],
  ])('are those of the bytes, of %s', async (_, as) => {
    const bytes = as(patternBytes(3 * mib + 5));
    const summing = threadOf().begin(sizeBytes, both);
    for (let at = 0; at < bytes.length; at += 500_000) summing.update(bytes.subarray(at, at + 500_000));
    expect(await summing.finish()).toEqual(sumsOf(bytes));
  });

  test('only what is wanted is made', async () => {
    const summing = threadOf().begin(sizeBytes, { md5: false, sha256: false });
    summing.update(shared(patternBytes(1000)));
    const { crc32: crc } = sumsOf(patternBytes(1000));
    expect(await summing.finish()).toEqual({ crc32: crc, md5: undefined, sha256: undefined });
  });
});

test('bodies do not get into each other', async () => {
  const thread = threadOf();
  const contents = [1, 2, 3, 4].map((seed) => shared(patternBytes(2 * mib + seed)));
  const bodies = contents.map((bytes) => ({ bytes, summing: thread.begin(2 * mib, both) }));
  for (let at = 0; at < 3 * mib; at += 300_000) {
    for (const { bytes, summing } of bodies) summing.update(bytes.subarray(at, at + 300_000));
  }
  bodies[1]?.summing.drop();
  const [first, , third] = bodies;
  expect(await first?.summing.finish()).toEqual(sumsOf(contents[0] as Buffer));
  expect(await third?.summing.finish()).toEqual(sumsOf(contents[2] as Buffer));
});

test('memory may be used anew once the thread has caught up', async () => {
  const bytes = patternBytes(8 * mib);
  const ring = Buffer.from(new SharedArrayBuffer(mib));
  const summing = threadOf().begin(bytes.length, both);
  for (let at = 0; at < bytes.length; at += mib) {
    bytes.copy(ring, 0, at, at + mib);
    summing.update(ring);
    await summing.caughtUp();
  }
  expect(await summing.finish()).toEqual(sumsOf(bytes));
});

test('a thread that was ended fails what waits for it, and later bodies are summed in place', async () => {
  const thread = threadOf();
  const summing = thread.begin(2 * mib, both);
  for (let round = 0; round < 50; round++) summing.update(shared(patternBytes(mib)));
  const waiting = summing.finish();
  const closed = thread.close();
  await expect(waiting).rejects.toMatchObject({ kind: 'transient', code: 'SumThreadLost' });
  await closed;
  const later = thread.begin(2 * mib, both);
  later.update(shared(patternBytes(100)));
  expect(await later.finish()).toEqual(sumsOf(patternBytes(100)));
});

describe('a process with a thread', () => {
  const module = join(import.meta.dirname, '../../src/adapters/sum-thread.ts');
  const run = promisify(execFile);
  const script = (end: string) => `
    import { SumThread } from ${JSON.stringify(module)};
    const summing = new SumThread().begin(2 ** 21, { md5: false, sha256: true });
    summing.update(Buffer.alloc(2 ** 21));
    const sums = await summing.finish();
    console.log(sums.crc32);
    ${end}`;

  test.each([
    ['ends when nobody waits for it', ''],
    [
      'ends while a body is open that nobody finishes',
      'new SumThread().begin(2 ** 21, {}).update(Buffer.alloc(9));',
    ],
  ])('%s', async (_, end) => {
    const args = ['--input-type=module', '-e', script(end)];
    const { stdout } = await run(process.execPath, args, { timeout: 20_000 });
    expect(stdout.trim()).toBe(sumsOf(Buffer.alloc(2 * mib)).crc32);
  });
});
