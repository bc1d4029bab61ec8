import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import description from '../../package.json' with { type: 'json' };

interface Materials {
  readonly serialNumber?: unknown;
  readonly metadata: { readonly component: Component; readonly [more: string]: unknown };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly externalReferences?: unknown;
}

const project = join(import.meta.dirname, '..', '..');

/**
 * What the program is made of, as CycloneDX 1.5 JSON (cyclonedx.org): its packages and Node.js itself with version,
 * licence and checksum, from the lock file. Without addresses: where packages come from is the builder's own affair.
 * Without time and serial number: the same lock file gives the same bytes.
 */
export function materials(): string {
  const { serialNumber: _, metadata, components, dependencies, ...found } = npmSbom();
  const { timestamp: __, ...told } = metadata;
  const ours = withinReach(dependencies);
  return `${JSON.stringify(
    {
      ...found,
      // npm names the project by the directory that it lies in.
      metadata: { ...told, component: { ...withoutAddresses(told.component), name: description.name } },
      components: components.filter((component) => ours.has(component['bom-ref'])).map(withoutAddresses),
      dependencies: dependencies.flatMap(({ ref, dependsOn }) =>
        ours.has(ref) ? [{ ref, dependsOn: dependsOn.filter((on) => ours.has(on)) }] : [],
      ),
    },
    null,
    2,
  )}\n`;
}

/** All, those for development too: `--omit dev` also leaves out what both the program and its development need. */
function npmSbom(): Materials {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
  return JSON.parse(
    execFileSync('npm', args, { cwd: project, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }),
  ) as Materials;
}

/** The program and what it needs, directly or not. */
function withinReach(dependencies: Materials['dependencies']): ReadonlySet<string> {
  const needs = new Map(dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
  const root = `${description.name}@${description.version}`;
  const direct = new Set(Object.keys({ ...description.dependencies, ...description.optionalDependencies }));
  const reached = new Set([root]);
  const waiting = (needs.get(root) ?? []).filter((ref) => direct.has(nameOf(ref)));
  for (let ref = waiting.pop(); ref !== undefined; ref = waiting.pop()) {
    if (reached.has(ref)) continue;
    reached.add(ref);
    waiting.push(...(needs.get(ref) ?? []));
  }
  return reached;
}

/** `@scope/name@1.2.3` */
function nameOf(ref: string): string {
  return ref.slice(0, ref.lastIndexOf('@'));
}

function withoutAddresses({ externalReferences: _, ...component }: Component): Component {
  return component;
}
