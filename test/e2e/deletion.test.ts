import { spawn } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  existsSync,
  lstatSync,
  openSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { Janitor } from '../../src/services/janitor.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { type AgentOptions, makePlace, type Place, runAgent, startAgent } from '../support/agent.ts';
import { eventually } from '../support/eventually.ts';
import { write } from '../support/hostile.ts';

const bucket = vi.hoisted(() => ({ store: undefined as unknown }));
/** What happens between the janitor's last look at a file and the unlink, by the file's path. */
const beforeUnlink = vi.hoisted(() => new Map<string, () => void>());

vi.mock(import('../../src/adapters/s3-store.ts'), async (importOriginal) => ({
  ...(await importOriginal()),
  createS3Store: () => bucket.store as MemoryStore,
}));

vi.mock(import('../../src/adapters/folder-source.ts'), async (importOriginal) => {
  const original = await importOriginal();
  return {
    ...original,
    createFolderSource: (options) => {
      const source = original.createFolderSource(options);
      return {
        ...source,
        removeIfUnchanged(path, expected) {
          beforeUnlink.get(path)?.();
          return source.removeIfUnchanged(path, expected);
        },
      };
    },
  };
});

let store: MemoryStore;

beforeEach(() => {
  store = new MemoryStore();
  bucket.store = store;
  beforeUnlink.clear();
});

const keep: AgentOptions['env'] = {
  TRAINLOGD_DESTINATION_URL: undefined,
  S3_BUCKET_NAME: 'memory',
  AWS_REGION: 'eu-central-1',
  TRAINLOGD_COMPANIONS_BYTES_MAX: '1KiB',
};
const remove = { ...keep, TRAINLOGD_RETENTION_LOCAL_FILES: 'delete', TRAINLOGD_RETENTION_KEEP_FOR: '0s' };

/** One full round of deletions by a daemon, then its end. */
async function cleanUp(place: Place, env: AgentOptions['env'] = remove): Promise<void> {
  const rounds = vi.spyOn(Janitor.prototype, 'deleteShipped');
  try {
    const run = startAgent(place, ['run'], { env });
    await eventually(() => rounds.mock.settledResults[0]?.type === 'fulfilled');
    run.signal('SIGTERM');
    run.signal('SIGTERM');
    expect((await run.ended).stderr).not.toMatch(/bug|failed/);
  } finally {
    rounds.mockRestore();
  }
}

async function drain(place: Place, env = keep): Promise<void> {
  const { exit, stderr } = await runAgent(place, ['drain', '--timeout', '20s'], { env });
  expect(exit, stderr).toBe(0);
}

const ended = { 'result.json': '{"status":"completed"}', 'goes.txt': 'shipped and verified' };

/** Written a minute ago: what is sent right after it was written is not deleted before it was read again. */
async function session(place: Place, name: string, files: Readonly<Record<string, string>>): Promise<void> {
  const writtenAt = new Date(Date.now() - 60_000);
  for (const [path, text] of Object.entries(files)) {
    await write(place, `${name}/${path}`, text);
    await utimes(join(place.folder, name, path), writtenAt, writtenAt);
  }
}

function replace(file: string): void {
  writeFileSync(`${file}.tmp`, 'another one');
  renameSync(`${file}.tmp`, file);
}

interface Survivor {
  readonly why: string;
  readonly files: Readonly<Record<string, string>>;
  /** Of the session, all that must be there afterwards. */
  readonly stays: readonly string[];
  readonly goes?: readonly string[];
  /** After it was shipped, before the deletion. */
  readonly afterwards?: (at: (path: string) => string) => void;
}

const survivors: readonly Survivor[] = [
  {
    why: 'it is native, a checkpoint, a cache, or ignored',
    files: { ...ended, 'model.safetensors': 'w', '__pycache__/a.pyc': 'c', '.hidden': 'h', 'half.tmp': 't' },
    stays: ['result.json', 'model.safetensors', '__pycache__/a.pyc', '.hidden', 'half.tmp'],
    goes: ['goes.txt'],
  },
  {
    why: 'it is a directory, an empty one too, or a link',
    files: { ...ended, 'sub/goes.txt': 'too' },
    afterwards: (at) => symlinkSync('result.json', at('link')),
    stays: ['sub', 'link'],
  },
  {
    why: 'it was appended to after its receipt',
    files: ended,
    afterwards: (at) => appendFileSync(at('goes.txt'), 'more'),
    stays: ['goes.txt'],
  },
  {
    why: 'it was replaced after its receipt',
    files: ended,
    afterwards: (at) => replace(at('goes.txt')),
    stays: ['goes.txt'],
  },
  {
    why: 'it is replaced between the last look and the unlink',
    files: ended,
    afterwards: (at) => beforeUnlink.set('case/goes.txt', () => replace(at('goes.txt'))),
    stays: ['goes.txt'],
  },
  {
    why: 'a process holds it open',
    files: ended,
    afterwards: (at) => {
      const held = openSync(at('goes.txt'), 'a');
      const holder = spawn('sleep', ['60'], { stdio: ['ignore', held, 'ignore'] });
      closeSync(held);
      onTestFinished(() => void holder.kill('SIGKILL'));
    },
    stays: ['goes.txt'],
  },
  {
    why: 'its session fell silent without evidence of an end',
    files: { 'session.json': '{}', 'goes.txt': 'shipped' },
    stays: ['goes.txt'],
  },
  {
    why: 'another file of its session is missing in the bucket',
    files: { ...ended, 'large.txt': 'x'.repeat(2000) },
    stays: ['goes.txt', 'large.txt'],
  },
  {
    why: 'the object in the bucket is another one by now',
    files: ended,
    afterwards: () => {
      for (const key of store.keys().filter((key) => /\/case-[^/]*\/goes\.txt$/.test(key)))
        store.seed(key, 'tampered with');
    },
    stays: ['goes.txt'],
  },
];

test.each(survivors)('a local file stays where $why', async ({ files, afterwards, stays, goes = [] }) => {
  const place = await makePlace();
  const at = (path: string) => join(place.folder, 'case', path);
  await session(place, 'case', files);
  // Shows that the round was real: beside each survivor, this one goes.
  await session(place, 'other', ended);
  await drain(place);
  afterwards?.(at);
  await cleanUp(place);
  for (const path of stays) expect(lstatSync(at(path), { throwIfNoEntry: false }), path).toBeDefined();
  for (const path of goes) expect(existsSync(at(path)), path).toBe(false);
  expect(existsSync(join(place.folder, 'other/goes.txt'))).toBe(false);
});

test('a file that is younger than keepFor stays, and so does everything where deletion is not asked for', async () => {
  const place = await makePlace();
  await session(place, 'case', ended);
  await drain(place);
  await cleanUp(place, { ...remove, TRAINLOGD_RETENTION_KEEP_FOR: '1h' });
  await drain(place);
  expect(existsSync(join(place.folder, 'case/goes.txt'))).toBe(true);
});

test('what was deleted here is still listed, is not shipped again, and makes no new revision', async () => {
  const place = await makePlace();
  await session(place, 'case', { ...ended, 'sub/goes.txt': 'too' });
  await mkdir(join(place.folder, 'case/empty'));
  await drain(place);
  const logKey = store.keys().find((key) => key.endsWith('.log')) ?? '';
  const [text, revisions] = [store.text(logKey), store.versions(logKey).length];
  expect(JSON.parse(text)).toMatchObject({
    missing: [],
    companions: [{ path: 'goes.txt' }, { path: 'sub/goes.txt' }],
  });
  await cleanUp(place);
  for (const path of ['goes.txt', 'sub/goes.txt'])
    expect(existsSync(join(place.folder, 'case', path))).toBe(false);
  await drain(place);
  await cleanUp(place);
  expect([store.text(logKey), store.versions(logKey).length]).toEqual([text, revisions]);
  for (const key of store.keys('training-logs/companions/')) expect(store.versions(key)).toHaveLength(1);
  const status = await runAgent(place, ['status', '--json'], { env: keep });
  expect(JSON.parse(status.stdout)).toMatchObject({
    backlog: { shipped: 1, open: 0, shipping: 0, pendingFiles: 0, unsent: [], parked: [] },
  });
});
