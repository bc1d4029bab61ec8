/**
 * `npm run release`: makes in dist/ all that a release consists of, for the machine that it runs on, and SHA256SUMS of it.
 * What else there is to do: docs/releasing.md.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import description from '../../package.json' with { type: 'json' };

const project = join(import.meta.dirname, '..', '..');
const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist' } } });
main(resolve(project, values.out));

function main(out: string): void {
  rmSync(out, { recursive: true, force: true });
  // The Debian package makes the single file first.
  for (const step of ['deb.ts', 'npm-package.ts', 'sbom.ts']) {
    execFileSync(process.execPath, [join(import.meta.dirname, step), '--out', out], { stdio: 'inherit' });
  }
  const sums = readdirSync(out)
    .toSorted()
    .map((name) => `${sha256(join(out, name))}  ${name}\n`);
  writeFileSync(join(out, 'SHA256SUMS'), sums.join(''));
  process.stdout.write(
    `trainlogd ${description.version}: ${sums.length} files, sums in ${join(out, 'SHA256SUMS')}\n`,
  );
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
