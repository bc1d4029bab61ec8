import { spawnSync } from 'node:child_process';
import { chmod, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { makePlace, runAgent } from '../support/agent.ts';
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
  const home = `${dirname(place.state)}/home`;
  await mkdir(home);
  const asNobody = (...args: string[]) => {
    const [program = '', ...before] = trainlogdProgram;
    const env = { ...place.env, HOME: home, PATH: process.env['PATH'] };
    const options = { encoding: 'utf8', uid: nobody, gid: nobody, cwd: home, env } as const;
    const { status, stdout, stderr } = spawnSync(program, [...before, ...args], options);
    return { exit: status, stdout, stderr };
  };
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
