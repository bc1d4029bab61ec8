import type { Facts, Provenance } from './facts.ts';
import type { JsonValue } from './json.ts';

/**
 * One set of facts from many sources, field by field, the first that knows a field wins. Free maps (`config.raw`,
 * `results.metrics`) are united key by key, each value taken whole: half of one value and half of another was never true.
 *
 * A free map has one entry in the provenance for the source that began it, and one more for each key that another
 * source added, so that the longest path to a value names its source.
 */
export interface FactSource {
  readonly source: string;
  readonly facts: Facts;
  readonly provenance: Readonly<Provenance>;
}

export interface MergedFacts {
  readonly facts: Facts;
  readonly provenance: Provenance;
}

const sections = ['user', 'pod', 'config', 'results'] as const;
const freeMaps: ReadonlySet<string> = new Set(['config.raw', 'results.metrics']);

type Fields = Record<string, unknown>;

export function mergeFacts(ordered: readonly FactSource[]): MergedFacts {
  const facts: Fields = {};
  const provenance: Provenance = {};
  for (const from of ordered) {
    for (const [name, value] of known(from.facts)) {
      if (isSection(name)) {
        facts[name] ??= {};
        takeFields(facts[name] as Fields, value as Fields, `${name}.`, from, provenance);
      } else if (facts[name] === undefined) {
        const path = name === 'history' ? name : `session.${name}`;
        facts[name] = value;
        if (name !== 'isPieced') provenance[path] = sourceOf(path, from);
      }
    }
  }
  // Every value was taken from a field of the same name in some Facts.
  return { facts: facts as Facts, provenance };
}

function takeFields(
  into: Fields,
  fields: Fields,
  prefix: string,
  from: FactSource,
  provenance: Provenance,
): void {
  for (const [name, value] of known(fields)) {
    const path = prefix + name;
    if (into[name] === undefined) {
      into[name] = freeMaps.has(path) ? { ...(value as Fields) } : value;
      provenance[path] = sourceOf(path, from);
      if (freeMaps.has(path)) Object.assign(provenance, entriesBelow(`${path}.`, from.provenance));
    } else if (freeMaps.has(path)) {
      uniteMaps(
        into[name] as Record<string, JsonValue>,
        value as Record<string, JsonValue>,
        path,
        from,
        provenance,
      );
    }
  }
}

function uniteMaps(
  into: Record<string, JsonValue>,
  map: Record<string, JsonValue>,
  path: string,
  from: FactSource,
  provenance: Provenance,
): void {
  for (const [key, value] of Object.entries(map)) {
    if (Object.hasOwn(into, key) || key === '__proto__') continue;
    into[key] = value;
    provenance[`${path}.${key}`] = from.provenance[`${path}.${key}`] ?? sourceOf(path, from);
  }
}

/** Keys of a free map that come from elsewhere than the map. */
function entriesBelow(prefix: string, provenance: Readonly<Provenance>): Provenance {
  return Object.fromEntries(Object.entries(provenance).filter(([path]) => path.startsWith(prefix)));
}

function sourceOf(path: string, from: FactSource): string {
  return from.provenance[path] ?? from.source;
}

function known(fields: object): [string, unknown][] {
  return Object.entries(fields).filter(([, value]) => value !== undefined);
}

function isSection(name: string): boolean {
  return (sections as readonly string[]).includes(name);
}
