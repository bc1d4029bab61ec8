import type { Clock } from './ports/clock.ts';
import type { Events } from './ports/events.ts';
import type { Deadline, Service } from './ports/service.ts';

export interface DaemonOptions {
  /** In the order in which they start; they stop in the reverse one. */
  readonly services: readonly Service[];
  readonly clock: Clock;
  readonly events: Events;
}

/**
 * Runs services as a group. The first to end or fail ends all; `run` returns when every one of them has. `drain` asks
 * each, in stopping order, to finish what fits before one common deadline. `stop` may be called at any time, also twice.
 */
export class Daemon {
  readonly #options: DaemonOptions;
  readonly #forced = new AbortController();
  #stopping: Promise<void> | undefined;
  #draining: Promise<void> | undefined;

  constructor(options: DaemonOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { services } = this.#options;
    const failures: unknown[] = [];
    const guarded = async (service: Service, work: () => Promise<void>) => {
      try {
        await work();
      } catch (error) {
        failures.push(error);
        this.#options.events.emit('service.failed', { service: service.name, cause: messageOf(error) });
      }
    };
    for (const service of services) {
      const { prepare } = service;
      if (prepare && failures.length === 0) await guarded(service, () => prepare.call(service));
    }
    // Stopped while it was prepared: what has not begun would never hear of it.
    const begins = failures.length === 0 && !this.#stopping;
    const runs = begins ? services.map((service) => guarded(service, () => service.run())) : [];
    if (runs.length > 0) await Promise.race(runs);
    // A drain ends services one by one on purpose; it stops all when it is through.
    if (failures.length === 0) await this.#draining;
    const stopped = await Promise.allSettled([this.stop()]);
    await Promise.all(runs);
    if (failures.length > 0) throw failures[0];
    for (const result of stopped) if (result.status === 'rejected') throw result.reason;
  }

  /** Idempotent: a second caller waits for the same drain. */
  drain(timeoutMs: number): Promise<void> {
    this.#draining ??= this.#drain(timeoutMs);
    return this.#draining;
  }

  async #drain(timeoutMs: number): Promise<void> {
    const { services, clock } = this.#options;
    const atMs = clock.monotonicMs() + timeoutMs;
    const timer = new AbortController();
    const timeUp = new AbortController();
    void clock.sleep(timeoutMs, timer.signal).then(() => timeUp.abort());
    const deadline: Deadline = { atMs, signal: AbortSignal.any([timeUp.signal, this.#forced.signal]) };
    try {
      for (const service of services.toReversed()) {
        if (this.#forced.signal.aborted) break;
        await service.drain?.(deadline);
      }
    } finally {
      timer.abort();
      await this.stop();
    }
  }

  /** Ends everything now, in the reverse order of starting; the first error is thrown once all were asked. */
  stop(): Promise<void> {
    this.#forced.abort();
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    let first: { error: unknown } | undefined;
    for (const service of this.#options.services.toReversed()) {
      try {
        await service.stop();
      } catch (error) {
        first ??= { error };
      }
    }
    if (first) throw first.error;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
