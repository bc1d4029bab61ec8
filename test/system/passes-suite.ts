import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';

const project = join(import.meta.dirname, '..', '..');

/** Runs a suite of test/e2e against a program that was built, in the place of the sources. */
export function passesSuite(program: string, suite: string): void {
  const args = [join(project, 'test', 'run.ts'), `test/e2e/${suite}`];
  const env = { ...process.env, TRAINLOGD_TEST_PROGRAM: program, NO_COLOR: '1' };
  const ran = spawnSync(process.execPath, args, { cwd: project, env, encoding: 'utf8' });
  expect(ran.status, ran.stdout.slice(-5000)).toBe(0);
  expect(ran.stdout).toMatch(/Tests +[1-9]\d* passed/);
}
