import { createHash } from 'node:crypto';
import {
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { directoryFailure } from '../../src/adapters/directory-failure.ts';
import { describeOwner } from '../../src/adapters/directory-owner.ts';
import { createDirectoryStore } from '../../src/adapters/directory-store.ts';
import { Conflict, Failure } from '../../src/domain/failure.ts';
import type { ObjectStore, PutCondition } from '../../src/ports/object-store.ts';
import { md5Of, objectStoreContract } from '../contracts/object-store.ts';
import { sourceOf } from '../support/byte-source.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const never = new AbortController().signal;
const key = 'training-logs/2026/01/s1.log';

function put(store: ObjectStore, body: string, condition: PutCondition = { absent: true }, at = key) {
  const metadata = { session: body };
  return store.put(
    { key: at, source: sourceOf(body), contentType: 'text/plain', metadata, condition },
    never,
  );
}

async function filesBelow(directory: string): Promise<string[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}

/** As a process left it that lived before this boot's processes were numbered so. */
async function ownerThatIsGone(): Promise<string> {
  const owner = JSON.parse(await describeOwner());
  return JSON.stringify({ ...owner, process: { ...owner.process, startTicks: '1' } });
}

const lockName = createHash('sha256').update(key).digest('hex');

{
  const made = await mkdtemp(join(tmpdir(), 'trainlogd-test-'));
  afterAll(() => rm(made, { recursive: true, force: true }));
  const root = join(made, 'made', 'here');
  objectStoreContract('directory', {
    open: async () => createDirectoryStore({ path: root }),
    visible: async (prefix) => (await filesBelow(root)).filter((file) => file.startsWith(prefix)),
    bytes: (objectKey) => readFile(join(root, objectKey)),
    refusedKeys: [
      'a//b',
      'trailing/',
      '/leading',
      'a/../b',
      '..',
      '.',
      './here',
      'a/.',
      '',
      'a\0b',
      '.trainlogd/tmp/x',
      `a/${'n'.repeat(256)}`,
    ],
  });
}

describe('a directory store', () => {
  test('shows a file that is not ours, or that was edited since, as it is now and without our metadata', async () => {
    const root = await temporaryDirectory();
    const store = createDirectoryStore({ path: root });
    await put(store, 'ours');
    expect(await store.find(key, never)).toMatchObject({
      etag: md5Of('ours'),
      metadata: { session: 'ours' },
    });
    await writeFile(join(root, key), 'edited');
    expect(await store.find(key, never)).toMatchObject({ sizeBytes: 6, etag: md5Of('edited') });
    expect((await store.find(key, never))?.metadata).toEqual({});
    await writeFile(join(root, 'foreign'), 'foreign');
    expect(await store.find('foreign', never)).toMatchObject({ etag: md5Of('foreign'), metadata: {} });
    await store.close();
  });

  test('leaves nothing but objects and their current metadata behind', async () => {
    const root = await temporaryDirectory();
    const store = createDirectoryStore({ path: root });
    const first = await put(store, 'first');
    await put(store, 'second', { etag: first.etag });
    await put(store, 'third').catch(() => undefined); // reason: the conflict is another test's
    await store.close();
    const { ino } = await stat(join(root, key));
    expect((await filesBelow(root)).sort()).toEqual([`.trainlogd/meta/${lockName}.${ino}.json`, key]);
    const again = createDirectoryStore({ path: root });
    expect(await again.find(key, never)).toMatchObject({ metadata: { session: 'second' } });
    await again.close();
  });

  test('shows the old object with its old metadata after a crash between metadata and rename', async () => {
    const root = await temporaryDirectory();
    const store = createDirectoryStore({ path: root });
    const receipt = await put(store, 'old');
    const meta = join(root, '.trainlogd', 'meta');
    const { ino } = await stat(join(root, key));
    const text = await readFile(join(meta, `${lockName}.${ino}.json`), 'utf8');
    await writeFile(join(meta, `${lockName}.${ino + 1}.json`), text.replace('old', 'new'));
    expect(await store.find(key, never)).toMatchObject({ etag: receipt.etag, metadata: { session: 'old' } });
    await store.close();
  });

  test.each(['', '{', '[]', 'null', '{"key":1}'])('takes metadata that read %j for none', async (text) => {
    const root = await temporaryDirectory();
    const store = createDirectoryStore({ path: root });
    await put(store, 'body');
    const { ino } = await stat(join(root, key));
    await writeFile(join(root, '.trainlogd', 'meta', `${lockName}.${ino}.json`), text);
    expect(await store.find(key, never)).toMatchObject({ sizeBytes: 4, etag: md5Of('body') });
    expect((await store.find(key, never))?.metadata).toEqual({});
    await store.close();
  });

  test('follows no link, neither above an object nor in its place', async () => {
    const root = await temporaryDirectory();
    const outside = await temporaryDirectory();
    await writeFile(join(outside, 'secret'), 'secret');
    await symlink(outside, join(root, 'out'));
    await symlink(join(outside, 'secret'), join(root, 'link'));
    const store = createDirectoryStore({ path: root });
    for (const work of [
      () => put(store, 'x', { absent: true }, 'out/new'),
      () => put(store, 'x', { etag: md5Of('secret') }, 'out/secret'),
      () => put(store, 'x', { etag: md5Of('secret') }, 'link'),
      () => store.find('out/secret', never),
      () => store.get('link', 100, never),
    ]) {
      const refusal = { name: 'Failure', kind: 'permanent', remedy: expect.stringContaining('link') };
      await expect(work()).rejects.toMatchObject(refusal);
    }
    await expect(put(store, 'x', { absent: true }, 'link')).rejects.toBeInstanceOf(Conflict);
    expect(await readdir(outside)).toEqual(['secret']);
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret');
    await store.close();
  });

  test('says what is in the way where a directory or a file stands for the other', async () => {
    const root = await temporaryDirectory();
    const store = createDirectoryStore({ path: root });
    await put(store, 'x', { absent: true }, 'a/b');
    await expect(store.find('a', never)).rejects.toMatchObject({ kind: 'permanent', code: 'NotAFile' });
    await expect(put(store, 'x', { absent: true }, 'a/b/c')).rejects.toMatchObject({
      kind: 'permanent',
      code: 'ENOTDIR',
    });
    await store.close();
  });

  test('removes at the start what a dead process left half written, and leaves what others are writing', async () => {
    const root = await temporaryDirectory();
    const tmp = join(root, '.trainlogd', 'tmp');
    const owners = {
      dead: await ownerThatIsGone(),
      alive: await describeOwner(),
      elsewhere: JSON.stringify({ ...JSON.parse(await ownerThatIsGone()), host: 'another' }),
      abandoned: JSON.stringify({ host: 'another' }),
      unknown: '',
    };
    for (const [name, owner] of Object.entries(owners)) {
      await mkdir(join(tmp, name), { recursive: true });
      await writeFile(join(tmp, name, 'owner'), owner);
      await writeFile(join(tmp, name, 'half'), 'half');
    }
    await utimes(join(tmp, 'abandoned'), 1, 1);
    const store = createDirectoryStore({ path: root });
    await put(store, 'x');
    await store.close();
    expect((await readdir(tmp)).sort()).toEqual(['alive', 'elsewhere', 'unknown']);
  });

  test('takes over the lock of a dead process, and one that is too old', async () => {
    const root = await temporaryDirectory();
    const store = createDirectoryStore({ path: root });
    let { etag } = await put(store, 'v0');
    const lock = join(root, '.trainlogd', 'locks', lockName);
    await writeFile(lock, await ownerThatIsGone());
    ({ etag } = await put(store, 'v1', { etag }));
    await writeFile(lock, JSON.stringify({ host: 'another' }));
    await utimes(lock, 1, 1);
    await put(store, 'v2', { etag });
    expect(await readFile(join(root, key), 'utf8')).toBe('v2');
    expect(await readdir(join(root, '.trainlogd', 'locks'))).toEqual([]);
    await store.close();
  });

  test('waits for the lock of a living process', async () => {
    const root = await temporaryDirectory();
    const store = createDirectoryStore({ path: root });
    const { etag } = await put(store, 'old');
    const lock = join(root, '.trainlogd', 'locks', lockName);
    await writeFile(lock, await describeOwner());
    const writing = put(store, 'new', { etag });
    // Written and waiting: its metadata are there, the object is not.
    await eventually(async () => (await readdir(join(root, '.trainlogd', 'meta'))).length === 2);
    expect(await readFile(join(root, key), 'utf8')).toBe('old');
    await rm(lock);
    await writing;
    expect(await readFile(join(root, key), 'utf8')).toBe('new');
    await store.close();
  });

  test('lets one of many that replace the same object win', async () => {
    const root = await temporaryDirectory();
    const stores = [1, 2, 3, 4].map(() => createDirectoryStore({ path: root }));
    const { etag } = await put(createDirectoryStore({ path: root }), 'first');
    const results = await Promise.allSettled(
      stores.map((store, number) => put(store, `next ${number}`, { etag })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(Conflict);
    await Promise.all(stores.map((store) => store.close()));
  });

  test('is blocked, and makes nothing, once its directory is gone', async () => {
    const root = join(await temporaryDirectory(), 'mount');
    const store = createDirectoryStore({ path: root });
    await put(store, 'x');
    await rm(root, { recursive: true });
    for (const work of [() => store.find(key, never), () => put(store, 'y'), () => put(store, 'y')]) {
      await expect(work()).rejects.toMatchObject({
        kind: 'blocked',
        code: 'ENOENT',
        remedy: expect.stringContaining('mount'),
      });
    }
    await expect(stat(root)).rejects.toThrow('ENOENT');
    await store.close();
  });

  test('is blocked where its directory is a file', async () => {
    const file = join(await temporaryDirectory(), 'file');
    await writeFile(file, '');
    const failure = await put(createDirectoryStore({ path: join(file, 'below') }), 'x').catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ kind: 'blocked', code: 'ENOTDIR', remedy: expect.any(String) });
  });

  test('tells when an object was cut through another name of its file', async () => {
    const root = await temporaryDirectory();
    const store = createDirectoryStore({ path: root });
    await put(store, 'whole');
    await link(join(root, key), join(root, 'other-name'));
    await truncate(join(root, 'other-name'), 2);
    expect(await store.find(key, never)).toMatchObject({ sizeBytes: 2, etag: md5Of('wh'), metadata: {} });
    await store.close();
  });
});

test.each([
  ['ENOSPC', 'blocked', 'space'],
  ['EDQUOT', 'blocked', 'quota'],
  ['EROFS', 'blocked', 'read-only'],
  ['EACCES', 'blocked', 'chown'],
  ['EIO', 'blocked', 'disk'],
  ['ENAMETOOLONG', 'permanent', 'shorten'],
  ['ELOOP', 'permanent', 'links'],
  ['EMFILE', 'transient', undefined],
  ['ESOMETHING', 'transient', undefined],
])('a file system that answers %s is %s for the queue', (code, kind, remedy) => {
  const failure = directoryFailure(Object.assign(new Error('no'), { code }), 'writing "a"', never);
  expect(failure).toMatchObject({ kind, code, message: `writing "a": ${code}` });
  if (remedy === undefined) expect(failure.remedy).toBeUndefined();
  else expect(failure.remedy).toContain(remedy);
});
