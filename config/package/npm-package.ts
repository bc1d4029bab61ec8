/**
 * `npm run build:package`: makes dist/trainlogd-VERSION.tgz, which `npm install -g` installs on Node 24 and newer without
 * a network: the bundle has all packages in it, so the manifest that is packed names none. That is why it is not the
 * manifest of the checkout, and why `npm pack` there refuses.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'rolldown';
import description from '../../package.json' with { type: 'json' };
import { describeAll } from './described.ts';
import { manualPage } from './manual.ts';
import { materials } from './materials.ts';
import { releasedAtSeconds } from './released-at.ts';

const project = join(import.meta.dirname, '..', '..');
/** As they lie in the checkout. */
const copied = ['LICENSE', 'CHANGELOG.md', 'config/trainlogd.yaml', 'docs/reference.md'];

/** Says what is wrong where an old Node would answer with a syntax error; a small young generation saves 40 MB. */
const launcher = `#!/usr/bin/env -S node --max-semi-space-size=2 --
'use strict';
require('../lib/require-node.cjs');
import('../lib/main.js');
`;

const readme = `# trainlogd

${description.description}.

    npm install -g ${description.name}-${description.version}.tgz
    trainlogd --help
    trainlogd plan /data/outputs    # what would be shipped; sends nothing
    trainlogd doctor                # is everything there that it needs?
    trainlogd run /data/outputs

Needs Node ${description.engines.node} and nothing else. Every command, option and format: docs/reference.md; every option with
its default: config/trainlogd.yaml; man trainlogd.
`;

const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist' } } });
await main(resolve(project, values.out));

async function main(out: string): Promise<void> {
  const tree = mkdtempSync(join(tmpdir(), 'trainlogd-package-'));
  try {
    await lay(tree);
    mkdirSync(out, { recursive: true });
    const packed = execFileSync('npm', ['pack', '--silent'], { cwd: tree, encoding: 'utf8' }).trim();
    const file = join(out, packed);
    copyFileSync(join(tree, packed), `${file}.part`);
    renameSync(`${file}.part`, file);
    process.stdout.write(`${file}\n`);
  } finally {
    rmSync(tree, { recursive: true });
  }
}

async function lay(tree: string): Promise<void> {
  const put = (path: string, content: string | Buffer, mode = 0o644): void => {
    const at = join(tree, path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, content);
    chmodSync(at, mode);
  };
  await build({
    input: join(project, 'src', 'main.ts'),
    platform: 'node',
    logLevel: 'warn',
    // Errors of the SDK are told apart by the names of their classes.
    output: { dir: join(tree, 'lib'), format: 'esm', minify: true, keepNames: true },
  });
  const date = new Date(releasedAtSeconds() * 1000).toISOString().slice(0, 10);
  put('bin/trainlogd.cjs', launcher, 0o755);
  put('lib/require-node.cjs', readFileSync(join(project, 'src', 'require-node.cjs')));
  put('man/trainlogd.1', manualPage(describeAll(), description.version, date));
  put('trainlogd.cdx.json', materials());
  put('README.md', readme);
  put('package.json', `${JSON.stringify(manifest(), null, 2)}\n`);
  for (const path of copied) put(path, readFileSync(join(project, path)));
}

function manifest() {
  const { name, version, license, engines } = description;
  return {
    ...{ name, version, description: description.description, license, type: 'module', engines },
    bin: { trainlogd: 'bin/trainlogd.cjs' },
    man: 'man/trainlogd.1',
    files: ['bin', 'lib', 'man', 'trainlogd.cdx.json', ...copied],
  };
}
