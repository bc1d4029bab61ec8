import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/system-time.ts';
import { pathFromBytes, type WatchedPath } from '../../src/domain/watched-path.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Listing } from '../../src/ports/file-source.ts';
import { realFolder } from '../support/real-folder.ts';

const never = new AbortController().signal;

const bytesOf = (...bytes: (string | number)[]) =>
  pathFromBytes(
    Buffer.concat(bytes.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part)))),
  );

test.each<[string, WatchedPath]>([
  ['255 bytes', 'n'.repeat(255)],
  ['a newline', 'two\nlines'],
  ['a carriage return and an escape', 'a\r\u001b[31m'],
  ['dots', '..hidden-no'.slice(2)],
  ['three dots inside', 'a...b'],
  ['composed and decomposed letters', 'é-e\u0301'],
  ['an emoji', '🚂'],
  ['a right-to-left override', 'txt.\u202egnp'],
  ['percent escapes', '%2e%2e%2f'],
  ['a backslash', 'a\\b'],
  ['only a space', ' '],
  ['a byte order mark', '\ufeffx'],
  ['bytes that are not UTF-8', bytesOf('bad', 0xff, 0xfe, 'name')],
  ['half a UTF-8 sequence', bytesOf('half', 0xc3)],
  ['an encoded surrogate', bytesOf(0xed, 0xb3, 0xbf)],
])('a file whose name is %s is listed and opened by exactly its bytes', async (_what, name) => {
  const folder = await realFolder();
  await folder.write(name, 'content');
  const listing = await folder.source.scan('', never);
  expect(listing?.entries.map(({ path }) => path)).toEqual([name]);
  const file = await folder.source.open(name);
  expect(String(await file.read(0, file.sizeBytes))).toBe('content');
  await file.close();
  expect(await folder.source.claim(name, 'claim-1')).toBeDefined();
});

test('links out of the folder, link loops and a socket are listed as what they are and lead nowhere', async () => {
  const folder = await realFolder();
  symlinkSync('/etc/shadow', folder.at('shadow'));
  symlinkSync('/etc', folder.at('etc'));
  symlinkSync('..', folder.at('up'));
  await folder.link('loop-a', 'loop-b');
  await folder.link('loop-b', 'loop-a');
  const server = createServer().listen(`${folder.directory}/socket`);
  await new Promise((resolve) => server.once('listening', resolve));
  const listing = await folder.source.scan('', never);
  server.close();
  expect(listing?.entries.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
    'link etc',
    'link loop-a',
    'link loop-b',
    'link shadow',
    'other socket',
    'link up',
  ]);
  expect(listing?.problems).toEqual([]);
});

test('more than 32 levels are reported, and what is above them is listed', async () => {
  const folder = await realFolder();
  await folder.write(`${Array(34).fill('d').join('/')}/file`, 'x');
  const listing = await folder.source.scan('', never);
  expect(listing?.entries).toHaveLength(32);
  expect(listing?.problems).toMatchObject([{ path: Array(32).fill('d').join('/'), code: 'TOO_DEEP' }]);
});

test('paths longer than the system allows are reported, and the rest is listed', async () => {
  const folder = await realFolder();
  await folder.write('fine', 'x');
  try {
    nestBeyondPathMax(folder.directory);
    const listing = await folder.source.scan('', never);
    expect(listing?.problems).toMatchObject([{ code: 'ENAMETOOLONG' }]);
    expect(listing?.entries.at(-1)?.path).toBe('fine');
    expect(listing?.entries.length).toBeGreaterThan(15);
  } finally {
    execFileSync('rm', ['-rf', folder.directory]); // Node's rm cannot name what is that deep.
  }
});

test('a scan stops at its bound of entries and says where', async () => {
  const folder = await realFolder({ bounds: { entriesMax: 10 } });
  for (const name of ['a', 'b', 'c']) for (let i = 0; i < 5; i++) await folder.write(`${name}/${i}`, 'x');
  const listing = await folder.source.scan('', never);
  expect(listing?.entries.length).toBeLessThan(18);
  expect(listing?.problems).toMatchObject([{ code: 'TOO_MANY_ENTRIES' }]);
});

test('a scan makes room for others whenever its slice is over, and stops when it is cancelled there', async () => {
  const stop = new AbortController();
  let rests = 0;
  let nowMs = 0;
  const clock: Clock = {
    ...systemClock,
    monotonicMs: () => (nowMs += 5),
    async sleep() {
      if (++rests === 3) stop.abort(new Error('enough'));
    },
  };
  const folder = await realFolder({ clock });
  for (let i = 0; i < 20; i++) await folder.write(`${i}/f`, 'x');
  await expect(folder.source.scan('', stop.signal)).rejects.toThrow('enough');
  expect(rests).toBe(3);
});

/** Does `act` between two steps of the scan: before the `call`-th look at the clock. */
async function scanWhile(call: number, act: (at: (path: string) => Buffer) => void): Promise<Scanned> {
  let calls = 0;
  let armed = false;
  const clock: Clock = {
    ...systemClock,
    monotonicMs: () => {
      if (armed && ++calls === call) act(folder.at);
      return 0;
    },
  };
  const folder = await realFolder({ clock });
  for (const path of ['a/inner/secret-looking', 'm/inner/f1', 'm/inner/f2', 'm/last', 'z'])
    await folder.write(path, 'x');
  const outside = `${folder.directory}/../outside`;
  await mkdir(`${outside}/inner`, { recursive: true });
  await writeFile(`${outside}/inner/stolen`, 'x');
  armed = true;
  return { listing: await folder.source.scan('', never), calls };
}

interface Scanned {
  readonly listing: Listing | undefined;
  readonly calls: number;
}

const swaps: Record<string, (at: (path: string) => Buffer) => void> = {
  'swapped for a link': (at) => {
    renameSync(at('m/inner'), at('m/was'));
    symlinkSync('../../outside/inner', at('m/inner'));
  },
  'below a parent that is swapped for a link': (at) => {
    renameSync(at('m'), at('was'));
    symlinkSync('../outside', at('m'));
  },
};

test.each(Object.entries(swaps))(
  'a directory that is %s in the middle of a scan is never followed',
  async (_what, swap) => {
    const { calls } = await scanWhile(0, () => undefined);
    expect(calls).toBeGreaterThan(5);
    for (let call = 1; call <= calls; call++) {
      const { listing } = await scanWhile(call, swap);
      expect(listing?.entries.map(({ path }) => path)).toContain('z');
      expect([call, listing?.entries.filter(({ path }) => path.includes('stolen'))]).toEqual([call, []]);
      expect(listing?.problems).toEqual([]);
    }
  },
);

test('a directory that vanishes in the middle of a scan is simply not there, and the rest is', async () => {
  const { calls } = await scanWhile(0, () => undefined);
  for (let call = 1; call <= calls; call++) {
    const { listing } = await scanWhile(call, (at) => rmSync(at('m').toString(), { recursive: true }));
    const paths = listing?.entries.map(({ path }) => path) ?? [];
    expect(paths).toEqual(expect.arrayContaining(['a', 'a/inner', 'a/inner/secret-looking', 'z']));
    expect(listing?.problems).toEqual([]);
  }
});

/** 25 levels of 200 bytes, made name by name: no single path could name the last. */
function nestBeyondPathMax(directory: string): void {
  let fd = openSync(directory, 'r');
  for (let level = 0; level < 25; level++) {
    const below = `/proc/self/fd/${fd}/${'d'.repeat(200)}`;
    mkdirSync(below);
    writeFileSync(`${below}/f`, 'x');
    const next = openSync(below, 'r');
    closeSync(fd);
    fd = next;
  }
  closeSync(fd);
}
