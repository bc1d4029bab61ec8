import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { materials } from '../../config/package/materials.ts';
import description from '../../package.json' with { type: 'json' };
import { temporaryDirectory } from '../support/temporary-directory.ts';

const run = promisify(execFile);
const project = join(import.meta.dirname, '..', '..');
const { version } = description;

describe('npm run build:package', () => {
  test('packs the program alone, which installs without a network, runs, drains, and needs no package', async () => {
    const home = await temporaryDirectory();
    await run('npm', ['run', '-s', 'build:package', '--', '--out', home], { cwd: project });
    const file = join(home, `trainlogd-${version}.tgz`);
    const { stdout: listing } = await run('tar', ['-tzf', file]);
    const chunk = /^package\/lib\/[\w-]+\.js$/;
    const paths = listing.trim().split('\n').toSorted();
    expect(paths.filter((path) => !chunk.test(path) || path === 'package/lib/main.js')).toEqual([
      'package/CHANGELOG.md',
      'package/LICENSE',
      'package/README.md',
      'package/bin/trainlogd.cjs',
      'package/config/trainlogd.yaml',
      'package/docs/reference.md',
      'package/lib/main.js',
      'package/lib/require-node.cjs',
      'package/man/trainlogd.1',
      'package/package.json',
      'package/trainlogd.cdx.json',
    ]);

    // The Node of this test, under the name that the launcher looks for.
    const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };
    await run('npm', ['install', '-g', '--offline', '--silent', '--prefix', home, file], { env });
    const program = join(home, 'bin', 'trainlogd');
    expect((await run(program, ['--version'], { env })).stdout).toBe(`${version}\n`);
    const installed = join(home, 'lib/node_modules');
    expect(await readdir(installed)).toEqual(['trainlogd']);
    expect(await readdir(join(installed, 'trainlogd'))).not.toContain('node_modules');

    await mkdir(join(home, 'runs/run-1'), { recursive: true });
    await writeFile(
      join(home, 'runs/run-1/session.json'),
      '{"id":"run-1","startedAt":"2026-01-31T12:00:00Z"}',
    );
    await writeFile(join(home, 'runs/run-1/_SUCCESS'), '');
    const to = {
      TRAINLOGD_DESTINATION_URL: `file://${home}/bucket`,
      TRAINLOGD_STATE_DIRECTORY: `${home}/state`,
    };
    await run(program, ['drain', join(home, 'runs')], { env: { ...env, ...to } });
    expect(await readdir(join(home, 'bucket/training-logs/2026/01'))).toEqual(['run-1.log']);
  }, 120_000);

  test('is what makes a package: npm pack in the checkout refuses and says so', async () => {
    const packed = run('npm', ['pack', '--dry-run'], { cwd: project });
    await expect(packed).rejects.toThrow('npm run build:package');
  });
});

/** What it does on one is seen by test/system/node-24.system.ts, which fetches it; this is what that found. */
test('no statement numbers its parameters, which are bound by name before Node 24.7', async () => {
  const adapters = join(project, 'src/adapters');
  const names = (await readdir(adapters)).filter((name) => name.includes('journal'));
  expect(names).toContain('journal-reports.ts');
  for (const name of names) expect(await readFile(join(adapters, name), 'utf8'), name).not.toMatch(/\?\d/);
});

test('what Node warns of is shown, but not that what we are tested with is an experiment', async () => {
  const warn = (text: string) => `process.emitWarning('${text}', 'ExperimentalWarning');`;
  const names = ['SQLite', 'FFI', 'Another one'];
  const script = names.map((name) => warn(`${name} is an experimental feature`)).join(' ');
  const { stderr } = await run(process.execPath, ['-r', './src/require-node.cjs', '-e', script], {
    cwd: project,
  });
  expect(stderr).toMatch(
    /^\(node:\d+\) ExperimentalWarning: Another one is an experimental feature\n.*trace-warnings.*\n$/,
  );
});

test('the bill of materials has every package of the program, none for development, no address, no time', async () => {
  const text = materials();
  const { components, metadata } = JSON.parse(text) as {
    components: { name: string; version: string; hashes: unknown[] }[];
    metadata: { component: { name: string; version: string } };
  };
  expect(metadata.component).toMatchObject({ name: 'trainlogd', version });
  const lock = JSON.parse(await readFile(join(project, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; dev?: true; devOptional?: true }>;
  };
  const needed = Object.entries(lock.packages).flatMap(([path, { version: of, dev }]) =>
    path === '' || dev ? [] : [`${path.replace(/^.*node_modules\//, '')}@${of}`],
  );
  expect(components.map(({ name, version: of }) => `${name}@${of}`).toSorted()).toEqual(
    [...new Set(needed)].toSorted(),
  );
  for (const { hashes } of components) expect(hashes).toHaveLength(1);
  expect(text).not.toMatch(/"url"|externalReferences|timestamp|serialNumber/);
  expect(text).toBe(materials());
});
