import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { makePlace, type Place, runAgent } from '../support/agent.ts';
import { makeHealthy } from '../support/hostile.ts';
import { trainlogdProgram } from '../support/program.ts';

const nobody = 65_534;
const closed = /state": EACCES, it is closed to this user: run this as the user that trainlogd runs as/;

test('to another user a closed state directory is no empty one: status, retry and --check say whose it is', async ({
  skip,
}) => {
  if (process.getuid?.() !== 0) skip('only root can play another user');
  const place = await makePlace();
  await makeHealthy(place);
  expect((await runAgent(place, ['drain'])).exit).toBe(0);
  await chmod(dirname(place.state), 0o755);
  const asNobody = await nobodyAt(place);
  for (const args of [['status'], ['retry', '--all']]) {
    const { exit, stdout, stderr } = asNobody(...args);
    expect({ exit, stdout }).toEqual({ exit: 78, stdout: '' });
    expect(stderr).toMatch(closed);
  }
  const check = asNobody('status', '--check');
  expect(check.exit).toBe(2);
  expect(check.stdout, 'nothing is said of what was not seen').toMatch(
    /^TRAINLOGD CRITICAL - the journal in .* cannot be read \(state\.journal\): run this as the user that trainlogd runs as \(sudo -u '#0' trainlogd …\)[^|;]*\n$/,
  );
});

test('what root leaves in the state directory of another user, that user goes on with', async ({ skip }) => {
  if (process.getuid?.() !== 0) skip('only root can play another user');
  const place = await makePlace();
  await makeHealthy(place);
  await chmod(dirname(place.state), 0o755);
  for (const directory of [place.state, place.destination]) {
    await mkdir(directory, { mode: 0o700 });
    await chown(directory, nobody, nobody);
  }
  expect((await runAgent(place, ['drain'])).exit).toBe(0);
  for (const name of ['journal.sqlite', 'claims'])
    expect(await stat(join(place.state, name)), name).toMatchObject({ uid: nobody, gid: nobody });
  const asNobody = await nobodyAt(place);
  const { exit, stderr } = asNobody('retry', '--all');
  expect(exit, stderr).toBe(0);
});

async function nobodyAt(place: Place) {
  const home = join(dirname(place.state), 'home');
  await mkdir(home);
  const [program = '', ...before] = trainlogdProgram;
  const env = { ...place.env, HOME: home, PATH: process.env['PATH'] };
  const options = { encoding: 'utf8', uid: nobody, gid: nobody, cwd: home, env } as const;
  return (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(program, [...before, ...args], options);
    return { exit: status, stdout, stderr };
  };
}
