import { systemClock } from '../adapters/system-time.ts';
import type { SessionLog } from '../domain/session-log.ts';
import type { Edge } from './edge.ts';
import { humanBytes, humanDuration } from './human.ts';
import { oneLine } from './one-line.ts';
import { StatusLine } from './status-line.ts';

/** Before this, a rate says more of what was on disk than of the link. */
const measuredMs = 1000;
const nameColumns = 24;

/** How far a fetch is, with its rate and the time left, on a terminal. */
export class FetchProgress {
  readonly #line: StatusLine;
  readonly #totalBytes: number;
  readonly #arrived = new Map<string, number>();
  readonly #beganMs = systemClock.monotonicMs();
  #bytes = 0;
  #fetchedBytes = 0;

  constructor(edge: Edge, { companions }: SessionLog) {
    this.#line = new StatusLine(edge);
    this.#totalBytes = companions.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  arrived(path: string, bytes: number): void {
    const before = this.#arrived.get(path) ?? 0;
    this.#arrived.set(path, bytes);
    this.#bytes += bytes - before;
    this.#fetchedBytes += Math.max(0, bytes - before);
    this.#line.show(() => this.#text(path));
  }

  /** Above the line. */
  say(write: () => void): void {
    this.#line.clear();
    write();
  }

  end(): void {
    this.#line.clear();
  }

  #text(path: string): string {
    const tookMs = systemClock.monotonicMs() - this.#beganMs;
    const rate = (this.#fetchedBytes * 1000) / tookMs;
    const left = (this.#totalBytes - this.#bytes) / rate;
    const percent = this.#totalBytes === 0 ? 100 : Math.floor((this.#bytes / this.#totalBytes) * 100);
    return [
      `${percent}%`,
      `${humanBytes(this.#bytes)} of ${humanBytes(this.#totalBytes)}`,
      ...(tookMs > measuredMs ? [`${humanBytes(rate)}/s`, `${humanDuration(left)} left`] : []),
      oneLine(path).slice(-nameColumns),
    ].join('  ');
  }
}
