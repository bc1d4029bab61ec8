import { spawnSync } from 'node:child_process';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openJournal } from '../../src/adapters/open-journal.ts';
import { checkDisk } from '../../src/doctor/disk.ts';
import { checkFolder } from '../../src/doctor/folder.ts';
import { checkState } from '../../src/doctor/state-directory.ts';
import type { Check } from '../../src/doctor/visit.ts';
import { makePlace, type Place, runAgent, startAgent } from '../support/agent.ts';
import { write } from '../support/hostile.ts';
import { type Given, visitOf } from './visit.ts';

const never = new AbortController().signal;

async function wrongAt(check: Check, given: Given, prepare: (place: Place) => unknown = () => undefined) {
  const { place, visit } = await visitOf(given);
  await prepare(place);
  const result = await check(visit, never);
  if ('because' in result) throw new Error(`not looked at: ${result.because}`);
  return result;
}

const limits = {
  'sys/fs/inotify/max_user_watches': '8192\n',
  'sys/fs/inotify/max_user_instances': '128\n',
  'self/limits': 'Max open files            1024                 1048576              files\n',
  'sys/fs/protected_hardlinks': '1\n',
};
const journal = ({ state }: Place) => join(state, 'journal.sqlite');

test.each<[string, Check, Given, (place: Place) => unknown, object[]]>([
  [
    'a folder with files',
    checkFolder,
    { proc: limits },
    (place) => write(place, 'run/train.log', 'x'),
    [{ code: 'folder.ok', level: 'ok', finding: expect.stringContaining('1 file in 2 directories') }],
  ],
  [
    'a folder that is not there',
    checkFolder,
    {},
    ({ folder }) => rm(folder, { recursive: true }),
    [
      {
        code: 'folder.missing',
        level: 'critical',
        evidence: 'ENOENT',
        remedy: expect.stringContaining('mount it'),
      },
    ],
  ],
  [
    'a file in its place',
    checkFolder,
    {},
    async ({ folder }) => {
      await rm(folder, { recursive: true });
      await writeFile(folder, '');
    },
    [{ code: 'folder.notDirectory', level: 'critical' }],
  ],
  [
    'a link in the folder is not followed',
    checkFolder,
    { proc: limits },
    ({ folder }) => symlink('/', join(folder, 'all')),
    [{ code: 'folder.ok', finding: expect.stringContaining('0 files in 1 directory') }],
  ],
  [
    'more directories than may be watched',
    checkFolder,
    { proc: { ...limits, 'sys/fs/inotify/max_user_watches': '1' } },
    ({ folder }) => mkdir(join(folder, 'run')),
    [
      { code: 'folder.ok' },
      {
        code: 'folder.watches',
        level: 'warning',
        remedy: expect.stringContaining('max_user_watches=524288'),
      },
    ],
  ],
  [
    'few files may be open',
    checkFolder,
    {
      proc: {
        ...limits,
        'self/limits': 'Max open files            256                  256                  files\n',
      },
    },
    () => undefined,
    [{ code: 'folder.ok' }, { code: 'folder.openFiles', remedy: expect.stringContaining('LimitNOFILE') }],
  ],
  [
    'a state directory that is not there yet',
    checkState,
    {},
    () => undefined,
    [{ code: 'state.absent', level: 'ok' }],
  ],
  [
    'a file in the place of the state directory',
    checkState,
    {},
    ({ state }) => writeFile(state, ''),
    [
      {
        code: 'state.unwritable',
        level: 'critical',
        remedy: expect.stringContaining('another state.directory'),
      },
    ],
  ],
  [
    'a state directory below a file',
    checkState,
    {},
    async ({ state }) => {
      await writeFile(`${state}-file`, '');
      await symlink(`${state}-file/below`, state);
    },
    [{ code: 'state.unwritable', level: 'critical' }],
  ],
  [
    'a sound journal',
    checkState,
    {},
    ({ state }) => openJournal(state).close(),
    [{ code: 'state.ok', finding: expect.stringContaining('sound, no agent runs') }],
  ],
  [
    'a damaged journal',
    checkState,
    {},
    async (place) => {
      await mkdir(place.state);
      await writeFile(journal(place), 'no database, but long enough to be looked at'.repeat(100));
    },
    [{ code: 'state.journal', level: 'warning', remedy: expect.stringContaining('sets the file aside') }],
  ],
  [
    'disks with room',
    checkDisk,
    {},
    () => undefined,
    [{ code: 'disk.ok', finding: expect.stringContaining('the folder and the state directory and the') }],
  ],
])('%s', async (_, check, given, prepare, expected) => {
  expect(await wrongAt(check, given, prepare)).toMatchObject(expected);
});

test('looking leaves no trace: no state directory is made', async () => {
  const { place, visit } = await visitOf({});
  expect(await checkState(visit)).toMatchObject([{ code: 'state.absent' }]);
  await expect(rm(place.state)).rejects.toThrow('ENOENT');
});

test('a journal in use by one that does not answer is said to be in use, and by whom', async () => {
  const { place, visit } = await visitOf({});
  const holder = { pid: 12, host: 'gpu-7', folder: '/other', startedAt: '2026-01-01T00:00:00Z' };
  const held = openJournal(place.state, holder);
  try {
    expect(await checkState(visit)).toMatchObject([
      { code: 'state.held', level: 'warning', evidence: expect.stringContaining('process 12 on gpu-7') },
    ]);
  } finally {
    held.close();
  }
});

test('an agent that runs tells what keeps it from its work', async () => {
  const place = await makePlace();
  await write(place, 'run/result.json', '{"status":"completed"}');
  const endpoint = 'http://127.0.0.1:9';
  const env = {
    TRAINLOGD_DESTINATION_URL: 's3://bucket',
    TRAINLOGD_HTTP_LISTEN: 'off',
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  };
  const agent = startAgent(place, ['run'], { env });
  await agent.until('destination.blocked');
  const { exit, stdout } = await runAgent(place, ['doctor', '--json'], { env });
  agent.signal('SIGTERM');
  agent.signal('SIGTERM');
  await agent.ended;
  expect(exit).toBe(1);
  const { rooms } = JSON.parse(stdout) as { rooms: { room: string; findings: object[] }[] };
  expect(rooms.find(({ room }) => room === 'state')?.findings).toMatchObject([
    { code: 'agent.ok' },
    {
      code: 'agent.blocked',
      finding: expect.stringContaining('ECONNREFUSED'),
      remedy: expect.stringContaining('endpoint'),
    },
  ]);
});

test('what this user may not read is counted and named, and the rest is looked at', async ({ skip }) => {
  if (process.getuid?.() !== 0) skip('only root can play another user');
  const { place } = await visitOf({});
  await write(place, 'open/train.log', 'x');
  await write(place, 'open/private.log', 'x');
  await write(place, 'closed/train.log', 'x');
  await chmod(join(place.folder, 'open/private.log'), 0o600);
  await chmod(join(place.folder, 'closed'), 0o700);
  for (const path of [place.folder, join(place.folder, '..')]) await chmod(path, 0o755);
  const program = join(import.meta.dirname, 'walk-as-nobody.ts');
  const nobody = 65_534;
  const ran = spawnSync(process.execPath, [program, place.folder], {
    encoding: 'utf8',
    uid: nobody,
    gid: nobody,
    env: {},
  });
  expect(JSON.parse(ran.stdout || ran.stderr)).toMatchObject({
    directories: 3,
    files: 2,
    unreadable: 2,
    foreign: 1,
    examples: expect.arrayContaining(['"closed/": EACCES', '"open/private.log": EACCES']),
  });
});
