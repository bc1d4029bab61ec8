import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import { type Ended, makePlace, objectKeys, type Place, runAgent } from '../support/agent.ts';
import { expectHealthy, expectRow, makeHealthy, write } from '../support/hostile.ts';
import { trainlogdProgram } from '../support/program.ts';

const [program, ...main] = trainlogdProgram;
const nobody = 65534;

/** Root reads and writes everything; what another user meets can only be seen as that user. */
function needsOtherUser(context: TestContext): void {
  if (process.getuid?.() !== 0) context.skip('only root can run a program as another user');
  const sees = spawnSync(program, [...main, '--version'], { uid: nobody, gid: nobody, env: {} });
  if (sees.status !== 0) context.skip('the other user cannot read the program');
}

function runAsNobody(place: Place, args: readonly string[]): Promise<Ended> {
  const child = spawn(program, [...main, ...args], {
    uid: nobody,
    gid: nobody,
    cwd: '/',
    env: { ...place.env },
  });
  const out = { stdout: '', stderr: '' };
  child.stdout.on('data', (bytes) => {
    out.stdout += bytes;
  });
  child.stderr.on('data', (bytes) => {
    out.stderr += bytes;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ exit: code ?? -1, ...out })));
}

/** The folder is readable to all, state and destination are the other user's own. */
async function placeOfNobody(): Promise<Place> {
  const place = await makePlace();
  chmodSync(dirname(place.folder), 0o755);
  for (const directory of [place.state, place.destination]) {
    mkdirSync(directory);
    chownSync(directory, nobody, nobody);
  }
  await makeHealthy(place);
  return place;
}

test('an unreadable file is named with its cause and remedy, and the rest ships', async (context) => {
  needsOtherUser(context);
  const place = await placeOfNobody();
  await write(place, 'hostile/plain.txt', 'plain');
  await write(place, 'hostile/private.txt', 'private');
  await write(place, 'hostile/two\nlines.txt', 'private');
  await write(place, 'hostile/result.json', '{"status":"completed"}');
  for (const name of ['private.txt', 'result.json', 'two\nlines.txt'])
    chmodSync(join(place.folder, 'hostile', name), 0o600);
  await expectRow(
    {
      name: '',
      make: () => {},
      exit: 75,
      companions: ['plain.txt'],
      missing: [
        { path: 'private.txt', reason: 'unreadable' },
        { path: 'result.json', reason: 'unreadable' },
        { path: 'two\nlines.txt', reason: 'unreadable' },
      ],
      warnings: [/^"result\.json": opening file "hostile\/result\.json" \(owner uid 0, mode 0600\): EACCES$/],
      told: [
        /: private\.txt is not shipped, EACCES: opening file "hostile\/private\.txt" \(owner uid 0, mode 0600\): EACCES: let the user that trainlogd runs as read "hostile\/private\.txt": chmod o\+r /,
        /^unsent: hostile-[^:]*: private\.txt: EACCES: .*chmod o\+r/,
        /^unsent: hostile-[^:]*: two\\u000alines\.txt: EACCES: /,
      ],
    },
    place,
    await runAsNobody(place, ['drain', '--timeout', '20s']),
  );
});

test('an unreadable directory is named with its cause and remedy, and the rest ships', async (context) => {
  needsOtherUser(context);
  const place = await placeOfNobody();
  await write(place, 'hostile/plain.txt', 'plain');
  await write(place, 'hostile/closed/file.txt', 'unseen');
  chmodSync(join(place.folder, 'hostile/closed'), 0o700);
  const ended = await runAsNobody(place, ['drain', '--timeout', '20s']);
  await expectRow(
    {
      name: '',
      make: () => {},
      exit: 75,
      companions: ['plain.txt'],
      missing: [{ path: 'closed', reason: 'unreadable' }],
      warnings: [
        /^directory "closed" could not be read, EACCES: let the user .* read "hostile\/closed": chmod/,
      ],
      told: [/hostile\/closed.* could not be read, EACCES: let the user that trainlogd runs as read/],
      never: /unseen/,
    },
    place,
    ended,
  );
});

test('a drain that could not list a directory says by its exit code that something is left', async (context) => {
  needsOtherUser(context);
  const place = await placeOfNobody();
  await write(place, 'closed/file.txt', 'unseen');
  chmodSync(join(place.folder, 'closed'), 0o700);
  expect(await runAsNobody(place, ['drain', '--timeout', '20s'])).toMatchObject({ exit: 75 });
});

test('a state directory that cannot be written to ends the program before anything is touched', async (context) => {
  needsOtherUser(context);
  const place = await placeOfNobody();
  chownSync(place.state, 0, 0);
  const ended = await runAsNobody(place, ['drain']);
  expect(ended).toMatchObject({ exit: 78, stdout: '' });
  expect(ended.stderr).toMatch(
    /^trainlogd: opening the journal ".*\/state\/journal\.sqlite": .*: make ".*\/state" a directory with free space that this user can write to, or name another state\.directory\n$/,
  );
  expect(objectKeys(place)).toEqual([]);
});

test('a state directory on a full disk is said to be so, and all ships once there is room', async (context) => {
  const place = await makePlace();
  await makeHealthy(place);
  mkdirSync(place.state);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place.state]);
  if (mounted.status !== 0) context.skip('this user or container may not mount a small file system');
  onTestFinished(() => {
    execFileSync('umount', ['-l', place.state]);
  });
  const filler = join(place.state, 'filler');
  spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k', 'count=100']);
  const ended = await runAgent(place, ['drain', '--timeout', '5s']);
  expect(ended.stderr).toMatch(/full|free space|no space/i);
  expect(ended.stderr).not.toMatch(/this is a bug/);
  expect([75, 78]).toContain(ended.exit);
  rmSync(filler);
  execFileSync('mount', ['-o', 'remount,size=16m', place.state]);
  expect((await runAgent(place, ['drain'])).exit).toBe(0);
  expectHealthy(place);
});

test('a disk that fills up under the journal at work is said to be full, and all ships once there is room', async (context) => {
  const place = await makePlace();
  await makeHealthy(place);
  for (let at = 0; at < 25; at++) {
    for (let file = 0; file < 20; file++)
      await write(place, `many-${at}/${'f'.repeat(100)}-${file}.txt`, `${at}`);
  }
  mkdirSync(place.state);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=220k', 'tmpfs', place.state]);
  if (mounted.status !== 0) context.skip('this user or container may not mount a small file system');
  onTestFinished(() => {
    execFileSync('umount', ['-l', place.state]);
  });
  const ended = await runAgent(place, ['drain', '--timeout', '5s']);
  expect(ended.stderr).toMatch(/full|free space|no space/i);
  expect(ended.stderr).not.toMatch(/this is a bug/);
  expect(ended.exit, ended.stderr).toBe(75);
  execFileSync('mount', ['-o', 'remount,size=64m', place.state]);
  const again = await runAgent(place, ['drain', '--timeout', '20s']);
  expect(again.exit, again.stderr).toBe(0);
  expectHealthy(place);
});

test('a state directory of a newer version is left as it is', async () => {
  const place = await makePlace();
  await makeHealthy(place);
  mkdirSync(place.state);
  const file = join(place.state, 'journal.sqlite');
  const newer = new DatabaseSync(file);
  newer.exec('PRAGMA user_version = 999; CREATE TABLE future (x); INSERT INTO future VALUES (1)');
  newer.close();
  const before = readFileSync(file);
  const ended = await runAgent(place, ['drain']);
  expect(ended).toMatchObject({ exit: 78, stdout: '' });
  expect(ended.stderr).toMatch(
    /^trainlogd: opening the journal ".*": it is of version 999, this program knows up to \d+: install the newer trainlogd again, or name another state\.directory\n$/,
  );
  expect(readFileSync(file).subarray(60, 64)).toEqual(before.subarray(60, 64));
  expect(objectKeys(place)).toEqual([]);
});

test('a journal that is damaged is set aside as it is, and all ships with a new one', async () => {
  const place = await makePlace();
  await makeHealthy(place);
  mkdirSync(place.state);
  const file = join(place.state, 'journal.sqlite');
  writeFileSync(file, 'this was a journal once, and is not any more. '.repeat(200));
  const before = readFileSync(file);
  const ended = await runAgent(place, ['drain']);
  expect(ended.exit, ended.stderr).toBe(0);
  expect(ended.stderr).toMatch(/is damaged \(.*\) and set aside as .*journal\.sqlite\.damaged-\d{8}T\d{9}Z/);
  const [aside] = readdirSync(place.state).filter((name) => name.includes('.damaged-'));
  expect(readFileSync(join(place.state, aside ?? ''))).toEqual(before);
  expectHealthy(place);
});
