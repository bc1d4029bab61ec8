/**
 * `npm run release`: makes in dist/ all that a release consists of, and SHA256SUMS of it: for the machine that it
 * runs on, or for those of `-- --arch x64 --arch arm64`. What else there is to do: docs/releasing.md.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import description from '../../package.json' with { type: 'json' };

const project = join(import.meta.dirname, '..', '..');
const sumsFile = 'SHA256SUMS';
const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'dist' },
    arch: { type: 'string', multiple: true, default: [process.arch] },
  },
});
main(resolve(project, values.out), values.arch);

function main(out: string, machines: readonly string[]): void {
  clear(out);
  // The Debian package makes the single file first.
  for (const arch of machines) make('deb.ts', ['--arch', arch, '--out', out]);
  for (const script of ['npm-package.ts', 'sbom.ts']) make(script, ['--out', out]);
  const sums = readdirSync(out)
    .toSorted()
    .map((name) => `${sha256(join(out, name))}  ${name}\n`);
  writeFileSync(join(out, sumsFile), sums.join(''));
  process.stdout.write(
    `trainlogd ${description.version}: ${sums.length} files, sums in ${join(out, sumsFile)}\n`,
  );
}

/** Nothing but an earlier release, or what builds leave in dist/, is removed. Others have files of sums, too. */
function clear(out: string): void {
  const there = existsSync(out) ? readdirSync(out) : [];
  const isReleased = (name: string) => name === sumsFile || /^trainlogd[-_]/.test(name);
  if (out !== join(project, 'dist') && !there.every(isReleased))
    throw new Error(`"${out}" holds more than a release: name another directory`);
  rmSync(out, { recursive: true, force: true });
}

function make(script: string, args: readonly string[]): void {
  execFileSync(process.execPath, [join(import.meta.dirname, script), ...args], { stdio: 'inherit' });
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
