import type { History, HistoryCell } from '../../domain/history.ts';
import type { JsonValue } from '../../domain/json.ts';
import type { ConfigSection, PodSection, ResultsSection, UserSection } from '../../domain/session-log.ts';
import { displayPath, type WatchedPath } from '../../domain/watched-path.ts';
import type { Assessment, Ending, Facts, Provenance } from '../reader.ts';
import { amount } from './config-fields.ts';

export const warningsMax = 20;

/** Puts together what the files of one session say: the first that knows a field wins, with the file as its source. */
export class FactCollector {
  readonly #facts: Facts = {};
  readonly #provenance: Provenance = {};
  readonly #warnings: string[] = [];
  #warningsLeftOut = 0;

  session(
    field: 'framework' | 'startedAt' | 'endedAt' | 'version',
    value: string | undefined,
    from: WatchedPath,
  ): void {
    if (value === undefined || this.#facts[field] !== undefined) return;
    this.#facts[field] = value;
    this.#provenance[`session.${field}`] = displayPath(from);
  }

  config(fields: ConfigSection, from: WatchedPath): void {
    this.#facts.config = this.#take('config', this.#facts.config, fields, from);
  }

  user(fields: UserSection, from: WatchedPath): void {
    this.#facts.user = this.#take('user', this.#facts.user, fields, from);
  }

  pod(fields: PodSection, from: WatchedPath): void {
    this.#facts.pod = this.#take('pod', this.#facts.pod, fields, from);
  }

  results(fields: ResultsSection, from: WatchedPath): void {
    this.#facts.results = this.#take('results', this.#facts.results, fields, from);
  }

  /** Single metrics, each with its source. Null: the last value was none. */
  metrics(values: Readonly<Record<string, HistoryCell>>, from: WatchedPath): void {
    for (const [name, value] of Object.entries(values)) {
      this.#facts.results ??= {};
      this.#facts.results.metrics ??= {};
      const { metrics } = this.#facts.results;
      if (Object.hasOwn(metrics, name) || name === '__proto__') continue;
      metrics[name] = value;
      this.#provenance['results.metrics'] ??= displayPath(from);
      if (this.#provenance['results.metrics'] !== displayPath(from)) {
        this.#provenance[`results.metrics.${name}`] = displayPath(from);
      }
    }
  }

  /** One entry of the configuration, with a source of its own. */
  raw(name: string, value: JsonValue, from: WatchedPath): void {
    this.#facts.config ??= {};
    this.#facts.config.raw ??= {};
    if (Object.hasOwn(this.#facts.config.raw, name) || name === '__proto__') return;
    this.#facts.config.raw[name] = value;
    this.#provenance['config.raw'] ??= displayPath(from);
    if (this.#provenance['config.raw'] !== displayPath(from)) {
      this.#provenance[`config.raw.${name}`] = displayPath(from);
    }
  }

  history(history: History | undefined, from: WatchedPath): void {
    if (history === undefined || this.#facts.history !== undefined) return;
    this.#facts.history = history;
    this.#provenance['history'] = displayPath(from);
  }

  /** See Facts. */
  pieced(): void {
    this.#facts.isPieced = true;
  }

  warn(from: WatchedPath, text: string): void {
    if (this.#warnings.length < warningsMax) this.#warnings.push(`${displayPath(from)}: ${text}`);
    else this.#warningsLeftOut += 1;
  }

  assessment(ending?: Ending, goesOn = false): Assessment {
    const facts = Object.fromEntries(
      Object.entries(this.#facts).filter(([, value]) => value !== undefined && !isEmpty(value)),
    );
    const more = this.#warningsLeftOut > 0 ? [`and ${this.#warningsLeftOut} warnings more`] : [];
    return {
      facts,
      provenance: { ...this.#provenance },
      ...(ending && { ending }),
      ...(goesOn && !ending && { goesOn }),
      documents: {},
      warnings: [...this.#warnings, ...more],
    };
  }

  #take<S extends ConfigSection | PodSection | ResultsSection | UserSection>(
    section: 'config' | 'pod' | 'results' | 'user',
    into: S | undefined,
    fields: S,
    from: WatchedPath,
  ): S {
    const known: Record<string, unknown> = { ...into };
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined || Object.hasOwn(known, name)) continue;
      known[name] = value;
      this.#provenance[`${section}.${name}`] = displayPath(from);
    }
    // Only fields of S were put into it.
    return known as S;
  }
}

/** For fields of results: what is no amount is not there. */
export function positive(value: Parameters<typeof amount>[0]): number | undefined {
  const found = amount(value);
  return found !== undefined && found <= Number.MAX_SAFE_INTEGER ? found : undefined;
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
