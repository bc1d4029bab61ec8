import type { FactSource } from './merge-facts.ts';

/** Sections in which two files that speak of one run should say the same. */
const compared = ['config', 'pod'] as const;
/** Whole documents: they differ. */
const free = new Set(['raw']);

/** One warning for each value of which sources that count differently say different things. The first source counts. */
export function disagreements(ordered: readonly FactSource[]): string[] {
  const said = new Map<string, { value: unknown; by: string }>();
  const warnings: string[] = [];
  for (const { source, facts, provenance } of ordered) {
    for (const section of compared) {
      for (const [name, value] of Object.entries(facts[section] ?? {})) {
        if (value === undefined || free.has(name)) continue;
        const path = `${section}.${name}`;
        const by = provenance[path] ?? source;
        const first = said.get(path);
        if (!first) said.set(path, { value, by });
        else if (!isSame(first.value, value))
          warnings.push(`${path}: ${told(first)}, ${told({ value, by })}; the first counts`);
      }
    }
  }
  return warnings;
}

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'number' || typeof b !== 'number') return a === b;
  return Math.abs(a - b) <= 1e-6 * Math.max(Math.abs(a), Math.abs(b));
}

function told({ value, by }: { value: unknown; by: string }): string {
  return `${JSON.stringify(by)} says ${JSON.stringify(value)?.slice(0, 100)}`;
}
