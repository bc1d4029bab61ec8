import type { PodSection } from '../domain/session-log.ts';
import type { Clock } from '../ports/clock.ts';
import type { Events } from '../ports/events.ts';
import type { HostTools } from '../probes/host-tools.ts';
import type { Finding, RateProbe } from '../probes/probe.ts';
import type { RememberedAnswers } from './remembered-answers.ts';

export interface RateOptions {
  readonly rates: readonly RateProbe[];
  readonly tools: HostTools;
  readonly answers: RememberedAnswers;
  readonly clock: Clock;
  readonly events: Events;
  /** The agent's own environment; nothing of it but the keys that a probe names is read. */
  readonly own: Readonly<Record<string, string | undefined>>;
}

/** A provider that is silent is left alone for so long, whatever pod it is about: sessions wait for its answers. */
const silenceMs = 10 * 60_000;

/** What a pod costs, by those who rent it out, with keys of our own. */
export class ProviderRates {
  readonly #options: RateOptions;
  readonly #said = new Set<string>();
  /** By the name of the probe, monotonic. */
  readonly #silentUntilMs = new Map<string, number>();

  constructor(options: RateOptions) {
    this.#options = options;
  }

  /** Is there somebody to ask about this pod? */
  knows(pod: PodSection): boolean {
    return this.#options.rates.some((probe) => probe.podOf(pod) !== undefined);
  }

  async of(pod: PodSection): Promise<Finding | undefined> {
    const { rates, own, answers } = this.#options;
    for (const probe of rates) {
      const id = probe.podOf(pod);
      if (id === undefined) continue;
      const key = probe.keys.flatMap((name) => own[name]?.trim() || []).find(isHeaderText);
      if (key !== undefined) return await answers.get(`${probe.name} ${id}`, () => this.#ask(probe, id, key));
      this.#say(`there is no key for the ${probe.name}: set ${probe.keys.join(' or ')} for trainlogd`);
    }
    return undefined;
  }

  async #ask(probe: RateProbe, pod: string, key: string): Promise<Finding | undefined> {
    const { clock, tools } = this.#options;
    if (clock.monotonicMs() < (this.#silentUntilMs.get(probe.name) ?? 0)) return undefined;
    const answer = await probe.ask(pod, key, tools);
    if (!('problem' in answer)) return answer;
    if (answer.isSilent) this.#silentUntilMs.set(probe.name, clock.monotonicMs() + silenceMs);
    this.#say(`${answer.problem}: check ${probe.keys.join(' or ')}; it is asked again`);
    return undefined;
  }

  /** Once: the price is asked for again and again. */
  #say(problem: string): void {
    if (this.#said.has(problem) || this.#said.size > 16) return;
    this.#said.add(problem);
    this.#options.events.emit('config.warning', { problem: `probes.providerApi: ${problem}` });
  }
}

/** What may stand in a header; anything else is no key. */
function isHeaderText(text: string): boolean {
  return /^[\x21-\x7e]{1,4096}$/.test(text);
}
