import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

interface Materials {
  readonly components: readonly { readonly externalReferences?: unknown }[];
}

/**
 * What the program is made of, as CycloneDX 1.5 JSON (cyclonedx.org): its packages and Node.js itself with version,
 * licence and checksum, from the lock file. Without addresses: where packages come from is the builder's own affair.
 */
export function materials(): string {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only'];
  const cwd = join(import.meta.dirname, '..', '..');
  const found = JSON.parse(
    execFileSync('npm', args, { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }),
  ) as Materials;
  const components = found.components.map(({ externalReferences: _, ...component }) => component);
  return `${JSON.stringify({ ...found, components }, null, 2)}\n`;
}
