import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import description from '../../package.json' with { type: 'json' };
import { withCleanup } from './cleanup.ts';
import { passesSuite } from './passes-suite.ts';
import { shipsAndReadsBack } from './ships-and-reads-back.ts';

const project = join(import.meta.dirname, '..', '..');
const work = mkdtempSync(join(tmpdir(), 'trainlogd-node-24-'));
const program = join(work, 'bin', 'trainlogd');
/** What its users need at least, whose SQLite is not today's; and what a Debian has that is too old. */
const [first, old] = ['24.0.0', '18'];
const suites = ['drain', 'exec.test', 'signals', 'resume', 'reading-back.test', 'hostile-state'];

beforeAll(() => {
  const build = ['config/package/npm-package.ts', '--out', work];
  execFileSync(process.execPath, build, { cwd: project, stdio: 'pipe' });
  const packed = join(work, `trainlogd-${description.version}.tgz`);
  const env = { ...process.env, PATH: pathWithNode(first) };
  const install = ['install', '-g', '--offline', '--silent', '--prefix', work, packed];
  execFileSync('npm', install, { env, stdio: 'pipe' });
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Fetched as npm fetches packages. */
function pathWithNode(version: string): string {
  const home = mkdtempSync(join(work, 'node-'));
  const fetch = ['pack', '--silent', `node-linux-${process.arch}@${version}`];
  const fetched = execFileSync('npm', fetch, { cwd: home, encoding: 'utf8' }).trim().split('\n').at(-1) ?? '';
  execFileSync('tar', ['-xzf', fetched, 'package/bin/node'], { cwd: home });
  const path = [join(home, 'package', 'bin'), process.env['PATH']].join(delimiter);
  const says = execFileSync('node', ['--version'], { env: { PATH: path }, encoding: 'utf8' });
  expect(`${says.trim()}.`).toMatch(`v${version}.`);
  return path;
}

describe('the npm package', () => {
  test.each([first, '24'])(
    'ships and reads back on Node %s, with nothing said of experiments',
    async (version) => {
      const PATH = pathWithNode(version);
      await withCleanup((context) => shipsAndReadsBack(context, [program], { PATH }));
    },
  );

  test.each(suites)(`passes test/e2e/%s on Node ${first}`, (suite) => {
    const words = [`PATH='${pathWithNode(first)}'`, 'exec', program, '"$@"'];
    const file = join(work, 'on-first');
    writeFileSync(file, `#!/bin/sh\n${words.join(' ')}\n`, { mode: 0o755 });
    passesSuite(file, suite);
  });

  test('says what it needs on a Node that is too old', () => {
    expect(description.engines.node).toBe('>=24');
    const said = spawnSync(program, ['--version'], { env: { PATH: pathWithNode(old) }, encoding: 'utf8' });
    expect(said.stderr).toMatch(/^trainlogd needs Node 24 or newer, this is Node 18\.[\d.]+: [^\n]*\n$/);
    expect(said).toMatchObject({ status: 78, stdout: '' });
  });
});
