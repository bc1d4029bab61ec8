import type { FactSource } from '../domain/merge-facts.ts';
import type { PodSection } from '../domain/session-log.ts';
import type { HostTools } from '../probes/host-tools.ts';
import type { Finding, HostProbe } from '../probes/probe.ts';
import type { ProbeRegistry } from '../probes/registry.ts';
import type { RememberedAnswers } from './remembered-answers.ts';

export interface HostFacts {
  readonly found: readonly FactSource[];
  /** Below what the configuration says. */
  readonly last: readonly FactSource[];
}

export interface HostQuestions {
  readonly tools: HostTools;
  readonly registry: ProbeRegistry;
  readonly cloudMetadata: 'auto' | 'on' | 'off';
  /** The agent's own environment. */
  readonly own: Readonly<Record<string, string | undefined>>;
}

/** Where a whole machine, or all GPUs that a container sees, belong to the pod alone. */
const exclusiveProviders: ReadonlySet<string> = new Set(['runpod', 'vast.ai']);

/** What this machine says of itself; it is asked only for what is not known yet. */
export async function askHost(
  questions: HostQuestions,
  answers: RememberedAnswers,
  known: PodSection,
): Promise<HostFacts> {
  const { registry, tools } = questions;
  const remember = (probe: HostProbe) => answers.get(probe.name, () => probe.probe(tools));
  const isExclusive = exclusiveProviders.has(known.provider ?? '');
  const needsGpus = known.gpuType === undefined || (isExclusive && known.gpuCount === undefined);
  const needsCloud = known.id === undefined && known.provider === undefined;
  const [gpus, cloud, host] = await Promise.all([
    needsGpus ? remember(registry.gpus) : undefined,
    needsCloud ? answers.get('cloud', () => askClouds(questions)) : undefined,
    remember(registry.host),
  ]);
  return {
    found: [
      // Elsewhere others may train on the same machine: how many GPUs there are is not how many the session had.
      ...sources(registry.gpus.name, isExclusive ? gpus : withoutCount(gpus)),
      ...sources('cloud', cloud),
    ],
    last: sources(registry.host.name, host),
  };
}

async function askClouds({
  registry,
  tools,
  cloudMetadata,
  own,
}: HostQuestions): Promise<Finding | undefined> {
  if (cloudMetadata === 'off') return undefined;
  const found = await Promise.all(
    registry.clouds.map(async (probe) => {
      const off = probe.switchedOffBy === undefined ? undefined : own[probe.switchedOffBy];
      if (off && off.toLowerCase() !== 'false') return undefined;
      return cloudMetadata === 'on' || (await probe.isHere(tools)) ? probe.probe(tools) : undefined;
    }),
  );
  return found.find((one) => one !== undefined);
}

function withoutCount(found: Finding | undefined): Finding | undefined {
  if (!found) return undefined;
  const { gpuCount: _, ...pod } = found.facts.pod ?? {};
  return { ...found, facts: { ...found.facts, pod } };
}

function sources(source: string, found: Finding | undefined): FactSource[] {
  return found ? [{ source, facts: found.facts, provenance: found.provenance }] : [];
}
