import type { WatchedPath } from '../domain/watched-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { Service } from '../ports/service.ts';
import type { SessionLeases } from './session-leases.ts';

export interface LeaseKeeperOptions {
  readonly leases: SessionLeases;
  readonly clock: Clock;
  /** The session of another host may be to be had: it must be looked at. */
  readonly onDue: (root: WatchedPath) => void;
}

/** Over a network each waits for a server. */
const atOnce = 16;
/** A server that does not answer must not keep us from ending: others take over after a while anyway. */
const releaseWithinMs = 5_000;
/** How fine the time of heartbeats and looks is. */
const roundsPerBeat = 20;

/** Gives signs of life for what is ours, looks at what is not, and gives everything back at the end. */
export class LeaseKeeper implements Service {
  readonly name = 'leases';
  readonly #options: LeaseKeeperOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  run(): Promise<void> {
    this.#running ??= this.#loop();
    return this.#running;
  }

  async #loop(): Promise<void> {
    const { clock, leases } = this.#options;
    const { signal } = this.#stop;
    for (;;) {
      await clock.sleep(leases.limits.beatMs / roundsPerBeat, signal);
      if (signal.aborted) return;
      await this.round();
    }
  }

  async round(): Promise<void> {
    const { clock, leases, onDue } = this.#options;
    const nowMs = clock.monotonicMs();
    const due = leases.allHeld().filter(({ beatAtMs }) => beatAtMs <= nowMs);
    await inGroups(due, async (held) => {
      await leases.write(held, {});
    });
    await inGroups(leases.toPoll(), async (root) => {
      if (await leases.poll(root)) onDue(root);
    });
  }

  /** After whatever ships has stopped. */
  stop(): Promise<void> {
    this.#stopping ??= this.#giveBack();
    return this.#stopping;
  }

  async #giveBack(): Promise<void> {
    const { clock, leases } = this.#options;
    this.#stop.abort();
    const timer = new AbortController();
    const released = inGroups(leases.allHeld(), (held) => leases.release(held));
    await Promise.race([released, clock.sleep(releaseWithinMs, timer.signal)]);
    timer.abort();
  }
}

async function inGroups<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += atOnce) {
    await Promise.all(items.slice(at, at + atOnce).map(work));
  }
}
