import type { Facts, Provenance } from '../domain/facts.ts';
import type { HostTools } from './host-tools.ts';

/**
 * What knows one place where trainings run, and tells from the variables of a process, or from the machine itself,
 * which place this is. Pure: the machine is asked through the tools that are given. What is not known is not told.
 */

/** Variables by name. Of an environment only those are ever kept that some probe names. */
export type Variables = Readonly<Record<string, string>>;

/** Reads variables alone. */
export interface EnvironmentProbe {
  readonly name: string;
  /** All that it looks at. */
  readonly variables: readonly string[];
  /** Whose variables they are: those of one process alone, or of every container of the pod alike. */
  readonly scope: 'process' | 'pod';
  probe(environment: Variables): Finding | undefined;
}

/** Asks the machine; the answer is the same for every session on it. */
export interface HostProbe {
  readonly name: string;
  probe(tools: HostTools): Promise<Finding | undefined>;
}

/** Asks the metadata service of a cloud, which elsewhere nobody answers. */
export interface CloudProbe extends HostProbe {
  /** By what firmware and hypervisor say of themselves; sends nothing. */
  isHere(tools: HostTools): Promise<boolean>;
  /** The variable with which people switch the service off for all programs. */
  readonly switchedOffBy?: string;
}

/** Asks who rents the machine out for its price. */
export interface RateProbe {
  readonly name: string;
  /** Where its key stands, in the agent's own environment and nowhere else; the first that is set is used. */
  readonly keys: readonly string[];
  /** The pod that it can be asked about, by the facts that are known of it. */
  podOf(pod: {
    readonly id?: string | undefined;
    readonly provider?: string | undefined;
  }): string | undefined;
  ask(pod: string, key: string, tools: HostTools): Promise<Finding | Unanswered>;
}

export interface Unanswered {
  /** Why there is no answer; never holds a key. */
  readonly problem: string;
  /** Nobody answered at all: the next question will have to wait, too. */
  readonly isSilent: boolean;
}

export interface Finding {
  readonly facts: Pick<Facts, 'user' | 'pod'>;
  /** To the variable, program or service that says so. */
  readonly provenance: Readonly<Provenance>;
}

interface Told<T> {
  readonly value: T;
  /** The variable, program or service. */
  readonly by: string;
}

export interface ToldFacts {
  readonly 'pod.id'?: Told<string> | undefined;
  readonly 'pod.provider'?: Told<string> | undefined;
  readonly 'pod.gpuType'?: Told<string> | undefined;
  readonly 'pod.gpuCount'?: Told<number> | undefined;
  readonly 'pod.costPerHour'?: Told<number> | undefined;
  readonly 'pod.currency'?: Told<string> | undefined;
  readonly 'user.username'?: Told<string> | undefined;
}

/** Undefined when there is nothing in it. */
export function finding(told: ToldFacts): Finding | undefined {
  const sections: Record<string, Record<string, string | number>> = {};
  const provenance: Record<string, string> = {};
  for (const [path, fact] of Object.entries(told) as [string, Told<string | number> | undefined][]) {
    if (fact === undefined) continue;
    const [section = '', field = ''] = path.split('.');
    sections[section] = { ...sections[section], [field]: fact.value };
    provenance[path] = fact.by;
  }
  return Object.keys(provenance).length === 0 ? undefined : { facts: sections, provenance };
}
