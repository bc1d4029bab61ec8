import { type FactSource, mergeFacts } from '../domain/merge-facts.ts';
import type { PodSection } from '../domain/session-log.ts';
import { joinPath, type WatchedPath } from '../domain/watched-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { Events } from '../ports/events.ts';
import type { Entry, FileSource } from '../ports/file-source.ts';
import type { ProcessTable } from '../ports/process-table.ts';
import type { HostTools } from '../probes/host-tools.ts';
import type { Finding, Variables } from '../probes/probe.ts';
import { type ProbeRegistry, probedVariables } from '../probes/registry.ts';
import { slurmStartedAtMs } from '../probes/slurm.ts';
import { withoutSecrets } from './draft-sources.ts';
import { askHost } from './host-facts.ts';
import { findings, place } from './place-findings.ts';
import { ProviderRates } from './provider-rates.ts';
import { RememberedAnswers } from './remembered-answers.ts';
import { readSessionEnv } from './session-env.ts';
import { believedProcess } from './session-process.ts';

/** Where a session ran, as far as it is known. */
export interface SessionPlace {
  /** By the training's own environment: below what its files say. */
  readonly told: readonly FactSource[];
  /** What counts where nobody else knows, not even an earlier log: this place, the configuration, the price. */
  readonly otherwise: FactSource | undefined;
  readonly warnings: readonly string[];
}

export interface PlacedSession {
  readonly root: WatchedPath;
  readonly kind: 'directory' | 'file';
  readonly files: readonly Entry[];
}

/** What was seen of the training itself; remembered with the session. */
export interface Witness {
  /** Variables of the process that session.pid names, empty where they could not be read. Undefined: it was not seen. */
  readonly trainer: Variables | undefined;
  /** Some process of this machine had a file of the session open. */
  seenHere: boolean;
}

export interface PlacesOptions {
  readonly source: FileSource;
  readonly processes: ProcessTable;
  readonly clock: Clock;
  readonly events: Events;
  readonly tools: HostTools;
  readonly registry: ProbeRegistry;
  /** The agent's own environment. */
  readonly own: Readonly<Record<string, string | undefined>>;
  /** May other machines write sessions into the folder? */
  readonly network: () => boolean;
  /** What the configuration knows about user, pod and price. */
  readonly defaults: FactSource | undefined;
  readonly cloudMetadata: 'auto' | 'on' | 'off';
  readonly providerApi: 'on' | 'off';
}

/**
 * Finds out where sessions ran. Whose environment says so:
 *
 *   session.env in the session, then that of the process that session.pid names: always, they are the training's own
 *   that of the agent, and this machine (GPUs, cloud, name): where the session is seen to be of this machine. Variables
 *   of a process (SLURM, CUDA) only where the session has neither of the two above: else the agent is a sidecar, and
 *   what is set for it says nothing about the training.
 *
 * A session is of this machine when its process was seen, when it changed since the machine (the container) started and
 * lies on a local file system, or when a process in view holds a file of it open.
 */
export class SessionPlaces {
  readonly #options: PlacesOptions;
  readonly #answers: RememberedAnswers;
  readonly #rates: ProviderRates;
  readonly #own: Variables;

  constructor(options: PlacesOptions) {
    this.#options = options;
    this.#answers = new RememberedAnswers(options.clock);
    this.#rates = new ProviderRates({ ...options, rates: options.registry.rates, answers: this.#answers });
    this.#own = Object.fromEntries(
      Object.entries(options.own).flatMap(([name, value]) =>
        value !== undefined && probedVariables.has(name) ? [[name, value]] : [],
      ),
    );
  }

  /** `known`: what the session's files say, best first. */
  async of(session: PlacedSession, witness: Witness, known: readonly FactSource[]): Promise<SessionPlace> {
    const { source, registry, defaults } = this.#options;
    const { root, files } = session;
    const env =
      session.kind === 'directory' ? await readSessionEnv(source, root, files, probedVariables) : undefined;
    const told = findings(registry.environment, [
      { from: 'session.env', variables: env?.variables ?? {} },
      { from: 'process', variables: witness.trainer ?? {} },
    ]);
    const isHere = await this.#isHere(session, witness);
    const speaksForItself =
      env !== undefined || files.some(({ path }) => path === joinPath(root, 'session.pid'));
    const own = isHere ? place(told, this.#ownFindings(files, speaksForItself)) : [];
    const sure = mergeFacts([...known, ...told, ...own]).facts.pod ?? {};
    const host = isHere ? await askHost(this.#options, this.#answers, sure) : { found: [], last: [] };
    const pod = mergeFacts([...known, ...told, ...own, ...host.found]).facts.pod ?? {};
    const priced = await this.#priced(pod, defaults);
    const merged = mergeFacts([...own, ...host.found, ...priced, ...host.last]);
    const clean = withoutSecrets({}, [{ source: 'environment', ...merged }]);
    const [otherwise] = clean.sources;
    return {
      told,
      otherwise: Object.keys(merged.provenance).length > 0 ? otherwise : undefined,
      warnings: [...(env?.warnings ?? []), ...clean.warnings],
    };
  }

  /** For a session that nobody has looked at before. */
  async witness({ root, files }: PlacedSession): Promise<Witness> {
    const { source, processes } = this.#options;
    const entry = files.find(({ path }) => path === joinPath(root, 'session.pid'));
    const process = entry && (await believedProcess(source, processes, entry));
    const variables = process && (await processes.variables(process, probedVariables));
    return { trainer: process && (variables ?? {}), seenHere: false };
  }

  #ownFindings(files: readonly Entry[], speaksForItself: boolean): FactSource[] {
    const { registry } = this.#options;
    const startedAtMs = slurmStartedAtMs(this.#own);
    // The agent was started in a job that is younger than the session: it is not the job's.
    const isOlder = startedAtMs !== undefined && lastChangeMs(files) < startedAtMs;
    const probes = registry.environment.filter(
      ({ scope }) => scope === 'pod' || !(speaksForItself || isOlder),
    );
    return findings(probes, [{ from: 'environment', variables: this.#own }]);
  }

  async #isHere({ files }: PlacedSession, witness: Witness): Promise<boolean> {
    const { processes, network } = this.#options;
    if (witness.trainer !== undefined || witness.seenHere) return true;
    if (network()) {
      const names = new Set(files.map(({ stat }) => `${stat.dev}:${stat.ino}`));
      witness.seenHere = (await processes.heldOpen(names)).size > 0;
      return witness.seenHere;
    }
    // The first process began with the machine, or with the container: a volume may be older than that.
    const first = await this.#answers.get('first process', () => processes.identify(1));
    return first === undefined || lastChangeMs(files) >= first.startedAtMs;
  }

  /** The rate of the configuration goes before that of the provider, and neither is mixed with the other's currency. */
  async #priced(pod: PodSection, defaults: FactSource | undefined): Promise<FactSource[]> {
    const configured = defaults ? [defaults] : [];
    const isKnown = pod.costPerHour !== undefined || pod.currency !== undefined;
    const isConfigured = defaults?.facts.pod?.costPerHour !== undefined;
    if (this.#options.providerApi === 'off' || isKnown || isConfigured || !this.#rates.knows(pod))
      return configured;
    const rate = await this.#rates.of(pod);
    const { currency: _, ...others } = defaults?.facts.pod ?? {};
    const rest = configured.map((from) => ({ ...from, facts: { ...from.facts, pod: others } }));
    return [...rest, ...(rate ? [sourceOf(rate)] : [])];
  }
}

function sourceOf({ facts, provenance }: Finding): FactSource {
  return { source: 'provider', facts, provenance };
}

function lastChangeMs(files: readonly Entry[]): number {
  return files.reduce((last, { stat }) => Math.max(last, Number(stat.mtimeNs / 1_000_000n)), 0);
}
