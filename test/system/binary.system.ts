import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import description from '../../package.json' with { type: 'json' };
import { passesSuite } from './passes-suite.ts';

const project = join(import.meta.dirname, '..', '..');
const directory = mkdtempSync(join(tmpdir(), 'trainlogd-binary-'));
const program = join(directory, `trainlogd-linux-${process.arch}`);

beforeAll(() => {
  execFileSync(process.execPath, ['config/package/binary.ts', '--out', directory], { cwd: project });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('the single file needs no Node, hears no NODE_OPTIONS, and says its version', () => {
  const env = { PATH: '/nonexistent', NODE_OPTIONS: '--require /nonexistent.cjs' };
  const said = spawnSync(program, ['--version'], { env, cwd: directory, encoding: 'utf8' });
  expect(said).toMatchObject({ status: 0, stdout: `${description.version}\n`, stderr: '' });
});

test('the single file starts by whatever path, also where there is no /proc', (context) => {
  const called = `mount -t tmpfs none /proc && ./$1 --version && PATH=. "$1" --version`;
  const args = ['-m', 'sh', '-c', called, 'sh', basename(program)];
  const said = spawnSync('unshare', args, { cwd: directory, encoding: 'utf8' });
  if (/unshare|mount:/.test(said.stderr)) context.skip(`/proc cannot be hidden here: ${said.stderr}`);
  const version = `${description.version}\n`;
  expect(said).toMatchObject({ status: 0, stdout: version + version, stderr: '' });
});

/** What the sources have to pass, from outside. Not `recover`: its tests move the clock by NODE_OPTIONS. */
test.each(['exec', 'signals', 'drain', 'reload', 'hostile-state', 'rotated-credentials', 'resume'])(
  'the single file passes test/e2e/%s',
  (suite) => {
    passesSuite(program, suite);
  },
);
