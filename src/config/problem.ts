import type { Destination } from './config.ts';

/** One thing that is wrong with the configuration. None of the texts carries a secret. */
export interface Problem {
  /** The option's key, or the variable's or file's name where no option is concerned. */
  readonly key: string;
  /** The value as it was written, quoted and shortened. Absent where it could be a secret. */
  readonly value?: string;
  /** What is wrong, what is accepted, and the nearest known name. */
  readonly problem: string;
  /** Where it was set: `FILE:LINE`, `environment (NAME)`, `command line`. */
  readonly at?: string;
}

/** What can be told of a configuration that does not hold: enough to look at the places that it names. */
export interface ConfigRemains {
  /** Absolute. */
  readonly watchedDirectory?: string;
  readonly stateDirectory?: string;
  readonly destination?: Destination;
}

/** All that is wrong with the configuration, at once. The caller exits with 78. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];
  /** What was found on the way and is worth knowing while repairing. */
  readonly warnings: readonly string[];
  /** Not enumerable, as credentials are not that may be in it. */
  declare readonly remains: ConfigRemains;

  constructor(problems: readonly Problem[], warnings: readonly string[] = [], remains: ConfigRemains = {}) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super([`the configuration has ${count}:`, ...problems.map(describeProblem)].join('\n  '));
    this.problems = problems;
    this.warnings = warnings;
    Object.defineProperty(this, 'remains', { value: remains, enumerable: false });
  }
}

/** One line: `watch.settle = "5" (config.yaml:4): the unit is missing …`. */
export function describeProblem({ key, value, problem, at }: Problem): string {
  // Where the key is a variable, its place need not name it again.
  const place = at?.replace(` (${key})`, '');
  return `${key}${value === undefined ? '' : ` = ${value}`}${place === undefined ? '' : ` (${place})`}: ${problem}`;
}

/** What loading collects before it either succeeds or throws. */
export interface Findings {
  readonly problems: Problem[];
  readonly warnings: string[];
}

const shownLength = 120;
const secretName = /secret|token|passw|credential|api[-_]?key|private|^key$/i;

/**
 * A value quoted for a message: one line, shortened, without what stands before `@` in a URL and without
 * what is named like a secret in a map.
 */
export function quoteValue(raw: unknown): string {
  const json =
    JSON.stringify(raw, (name, held) => (secretName.test(name) ? '[redacted]' : held)) ?? String(raw);
  const text = json
    .replace(/:\/\/.*@/, '://[redacted]@')
    .replace(/([^,"=]*)=([^,"]*)/g, (pair, name) => (secretName.test(name) ? `${name}=[redacted]` : pair));
  return text.length <= shownLength ? text : `${text.slice(0, shownLength)}…`;
}
