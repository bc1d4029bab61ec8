import type { FactSource } from '../domain/merge-facts.ts';
import type { EnvironmentProbe, Finding, Variables } from '../probes/probe.ts';

export interface OneEnvironment {
  /** What the provenance calls it. */
  readonly from: string;
  readonly variables: Variables;
}

/**
 * What probes make of these environments together, best first: a variable is that of the first that has it. Id and
 * provider name one place, so that they are those of one probe.
 */
export function findings(
  probes: readonly EnvironmentProbe[],
  environments: readonly OneEnvironment[],
): FactSource[] {
  const origins = new Map<string, string>();
  const variables = new Map<string, string>();
  for (const { from, variables: own } of environments) {
    for (const [name, value] of Object.entries(own)) {
      // Empty is as good as unset.
      if (variables.has(name) || value.trim() === '') continue;
      variables.set(name, value);
      origins.set(name, from);
    }
  }
  const environment = Object.fromEntries(variables);
  const sources: FactSource[] = [];
  for (const probe of probes) {
    const found = probe.probe(environment);
    if (!found) continue;
    const source = { source: probe.name, facts: found.facts, provenance: nameOrigins(found, origins) };
    sources.push(sources.some(namesPlace) ? withoutPlace(source) : source);
  }
  return sources;
}

/** `session.env: SLURM_JOB_ID` */
function nameOrigins({ provenance }: Finding, origins: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(provenance).map(([path, by]) => {
      const from = origins.get(by);
      return [path, from === undefined ? by : `${from}: ${by}`];
    }),
  );
}

/** Findings of a second place, which name none where the first do. */
export function place(first: readonly FactSource[], second: readonly FactSource[]): readonly FactSource[] {
  return first.some(namesPlace) ? second.map(withoutPlace) : second;
}

function namesPlace({ facts }: FactSource): boolean {
  return facts.pod?.id !== undefined || facts.pod?.provider !== undefined;
}

function withoutPlace(from: FactSource): FactSource {
  const { id: _, provider: __, ...pod } = from.facts.pod ?? {};
  return { ...from, facts: { ...from.facts, pod } };
}
