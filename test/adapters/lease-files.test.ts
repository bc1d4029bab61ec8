import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createLeaseFiles } from '../../src/adapters/lease-files.ts';
import { parentPath } from '../../src/domain/watched-path.ts';
import { leaseOf, leaseStoreContract } from '../contracts/lease-store.ts';
import { realFolder } from '../support/real-folder.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const isRoot = process.getuid?.() === 0;

leaseStoreContract('real files', async () => {
  const { directory, at } = await realFolder();
  return {
    hosts: [createLeaseFiles(directory), createLeaseFiles(directory)],
    makeSession: async (root) => void (await mkdir(at(root), { recursive: true })),
    removeSession: (root) => rm(at(root).toString(), { recursive: true }),
  };
});

async function shared() {
  const directory = await temporaryDirectory();
  mkdirSync(join(directory, 'run'));
  const leases = join(directory, '.trainlogd', 'run');
  return { directory, leases, store: createLeaseFiles(directory) };
}

test('a handful of files is kept, whatever died while it wrote', async () => {
  const { leases, store } = await shared();
  await store.write('run', 1, leaseOf('h'));
  writeFileSync(join(leases, '.new.3.01234567-89ab-cdef-0123-456789abcdef'), 'half');
  writeFileSync(join(leases, 'notes.txt'), 'not ours');
  for (let number = 2; number <= 9; number++) await store.write('run', number, leaseOf('h'));
  expect(readdirSync(leases).sort()).toEqual(['lease.7', 'lease.8', 'lease.9', 'notes.txt']);
});

test('a folder that is away, as an unmounted one, is not written to', async () => {
  const { directory, store } = await shared();
  await store.write('run', 1, leaseOf('h'));
  const away = `${directory}-away`;
  await rename(directory, away);
  await expect(store.read('run')).rejects.toMatchObject({ reason: 'vanished' });
  mkdirSync(directory);
  expect(await store.read('run')).toBeUndefined();
  await expect(store.write('run', 2, leaseOf('h'))).rejects.toMatchObject({ reason: 'vanished' });
  expect(readdirSync(directory)).toEqual([]);
  await rm(away, { recursive: true });
});

/** Each puts something in the place of lease 2. */
const damages: [string, (path: string) => void][] = [
  ['empty', (path) => writeFileSync(path, '')],
  ['no JSON', (path) => writeFileSync(path, '{"version":1,')],
  ['another version', (path) => writeFileSync(path, JSON.stringify({ ...leaseOf('h'), version: 2 }))],
  ['an id that is a path', (path) => writeFileSync(path, JSON.stringify(withIdentity({ id: '../../x' })))],
  [
    'a start that is no number',
    (path) => writeFileSync(path, JSON.stringify(withIdentity({ startedAtMs: 'x' }))),
  ],
  ['deep nesting', (path) => writeFileSync(path, '['.repeat(100_000))],
  ['ten megabytes', (path) => writeFileSync(path, Buffer.alloc(10 * 1024 * 1024, 32))],
  ['a directory', (path) => mkdirSync(path)],
  ['a link to a valid lease', (path) => symlinkSync('lease.1', path)],
  ['a link to nowhere', (path) => symlinkSync('/nowhere', path)],
  ['a FIFO', (path) => void execFileSync('mkfifo', [path])],
];

function withIdentity(change: object): object {
  const identity = {
    id: 'a',
    key: 'k',
    startedAtMs: 1,
    startedBy: 's',
    origin: 'ab'.repeat(16),
    unique: true,
  };
  return { ...leaseOf('h'), identity: { ...identity, warnings: [], ...change } };
}

test.each(damages)(
  '%s in the place of a lease is a lease that cannot be read, and is passed',
  async (_, plant) => {
    const { leases, store } = await shared();
    await store.write('run', 1, leaseOf('h'));
    plant(join(leases, 'lease.2'));
    expect(await store.read('run')).toEqual({ number: 2, lease: undefined, trusted: false });
    expect(await store.write('run', 2, leaseOf('h'))).toBe(false);
    expect(await store.write('run', 3, leaseOf('h'))).toBe(true);
    expect((await store.read('run'))?.number).toBe(3);
  },
);

test.each([
  [
    '.trainlogd is a link',
    'ENOTDIR',
    (d: string, elsewhere: string) => symlinkSync(elsewhere, join(d, '.trainlogd')),
  ],
  ['.trainlogd is a file', 'ENOTDIR', (d: string) => writeFileSync(join(d, '.trainlogd'), '')],
  [
    'its directory is a link',
    'ENOTDIR',
    (d: string, elsewhere: string) => {
      mkdirSync(join(d, '.trainlogd'));
      symlinkSync(elsewhere, join(d, '.trainlogd', 'run'));
    },
  ],
  [
    'it has too many names',
    'E2BIG',
    (d: string) => {
      mkdirSync(join(d, '.trainlogd', 'run'), { recursive: true });
      for (let n = 0; n < 5000; n++) writeFileSync(join(d, '.trainlogd', 'run', `n${n}`), '');
    },
  ],
])('where %s, nothing is read or written elsewhere, and a person is told', async (_, code, plant) => {
  const { directory, store } = await shared();
  const elsewhere = await temporaryDirectory();
  plant(directory, elsewhere);
  const refused = {
    name: 'FileFailure',
    reason: 'unreadable',
    code,
    remedy: expect.stringContaining('remove'),
  };
  await expect(store.read('run')).rejects.toMatchObject(refused);
  await expect(store.write('run', 1, leaseOf('h'))).rejects.toMatchObject(refused);
  expect(readdirSync(elsewhere)).toEqual([]);
});

test('names that are no number of ours do not count, nor does one that cannot be counted on from', async () => {
  const { leases, store } = await shared();
  await store.write('run', 1, leaseOf('h'));
  for (const name of ['lease.01', 'lease.2x', 'lease.-5', 'lease.1000000000000', 'lease.', 'LEASE.9'])
    await writeFile(join(leases, name), '{}');
  expect((await store.read('run'))?.number).toBe(1);
  await writeFile(join(leases, 'lease.999999999999'), '{}');
  await expect(store.write('run', 1_000_000_000_000, leaseOf('h'))).rejects.toMatchObject({
    code: 'EOVERFLOW',
  });
});

test.runIf(isRoot)('what another user wrote is not trusted', async () => {
  const { leases, store } = await shared();
  await store.write('run', 1, leaseOf('h'));
  chownSync(join(leases, 'lease.1'), 4242, 4242);
  expect(await store.read('run')).toMatchObject({ number: 1, trusted: false });
  expect(await createLeaseFiles(join(leases, '..', '..')).read('run')).toMatchObject({ trusted: false });
});

test.runIf(!isRoot)('a folder that may only be read says so', async () => {
  const { directory, store } = await shared();
  chmodSync(directory, 0o555);
  await expect(store.write('run', 1, leaseOf('h'))).rejects.toMatchObject({ code: 'EACCES' });
  chmodSync(directory, 0o755);
});

test('a session straight in the folder that is a file has its lease, too', async () => {
  const { directory, store } = await shared();
  await writeFile(join(directory, 'run.json'), '{}');
  expect(parentPath('run.json')).toBe('');
  expect(await store.write('run.json', 1, leaseOf('h'))).toBe(true);
  unlinkSync(join(directory, 'run.json'));
  await store.remove('run.json');
  expect(await store.read('run.json')).toBeUndefined();
});
