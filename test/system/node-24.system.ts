import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import description from '../../package.json' with { type: 'json' };
import { passesSuite } from './passes-suite.ts';
import { shipsAndReadsBack } from './ships-and-reads-back.ts';

const project = join(import.meta.dirname, '..', '..');
const work = mkdtempSync(join(tmpdir(), 'trainlogd-node-24-'));
const packed = join(work, `trainlogd-${description.version}.tgz`);

beforeAll(() => {
  const build = ['config/package/npm-package.ts', '--out', work];
  execFileSync(process.execPath, build, { cwd: project, stdio: 'pipe' });
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** The first that the manifest allows, whose SQLite is not the one of today, and the newest of that line. */
describe.each(['24.0.0', '24'])('the npm package on Node %s', (version) => {
  const home = join(work, version);
  const prefix = join(home, 'prefix');
  const path = [join(home, 'package', 'bin'), process.env['PATH']].join(delimiter);
  const installed = join(prefix, 'lib/node_modules/trainlogd/bin/trainlogd.cjs');

  beforeAll(() => {
    const env = { ...process.env, PATH: path };
    mkdirSync(home);
    const fetch = ['pack', '--silent', `node-linux-${process.arch}@${version}`];
    const fetched = execFileSync('npm', fetch, { cwd: home, encoding: 'utf8' }).trim().split('\n').at(-1);
    execFileSync('tar', ['-xzf', `${fetched}`, 'package/bin/node'], { cwd: home });
    const install = ['install', '-g', '--offline', '--silent', '--prefix', prefix, packed];
    execFileSync('npm', install, { cwd: home, env, stdio: 'pipe' });
  });

  test('is run by it', () => {
    const found = execFileSync('node', ['--version'], { env: { PATH: path }, encoding: 'utf8' });
    expect(found).toMatch(new RegExp(`^v${version.replaceAll('.', '\\.')}[.\n]`));
    expect(description.engines.node).toBe('>=24');
  });

  test('ships to the bucket and reads back, with nothing to say of experiments', async (context) => {
    await shipsAndReadsBack(context, [join(prefix, 'bin', 'trainlogd')], { PATH: path });
  });

  test.each(['drain', 'exec.test', 'signals', 'resume', 'reading-back.test', 'hostile-state'])(
    'passes test/e2e/%s',
    (suite) => {
      const program = join(home, 'trainlogd');
      const node = join(home, 'package', 'bin', 'node');
      writeFileSync(program, `#!/bin/sh\nexec ${node} --max-semi-space-size=2 -- ${installed} "$@"\n`, {
        mode: 0o755,
      });
      passesSuite(program, suite);
    },
  );
});
