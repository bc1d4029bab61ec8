import { systemClock } from '../adapters/system-time.ts';
import type { SessionLog } from '../domain/session-log.ts';
import type { Clock } from '../ports/clock.ts';
import type { BytesFrom } from '../ports/download-directory.ts';
import { cutStart } from './columns.ts';
import { humanBytes, humanDuration } from './human.ts';
import { oneLine } from './one-line.ts';
import { type LineEdge, StatusLine } from './status-line.ts';

/** Before this, a rate says little of the link. */
const measuredMs = 1000;
const nameColumns = 24;

/** How far a fetch is, with its rate and the time left, on a terminal. */
export class FetchProgress {
  readonly #line: StatusLine;
  readonly #totalBytes: number;
  readonly #arrived = new Map<string, number>();
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** When bytes began to come over the link: what lies on disk is only read again, and says nothing of its rate. */
  #fetchBeganMs: number | undefined;
  #bytes = 0;
  #fetchedBytes = 0;

  constructor(
    edge: LineEdge,
    { companions }: Pick<SessionLog, 'companions'>,
    clock: Pick<Clock, 'monotonicMs'> = systemClock,
  ) {
    this.#line = new StatusLine(edge, clock);
    this.#clock = clock;
    this.#totalBytes = companions.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  arrived(path: string, bytes: number, from: BytesFrom): void {
    const before = this.#arrived.get(path) ?? 0;
    this.#arrived.set(path, bytes);
    this.#bytes += bytes - before;
    if (from === 'destination') {
      this.#fetchBeganMs ??= this.#clock.monotonicMs();
      this.#fetchedBytes += Math.max(0, bytes - before);
    }
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
    const percent = this.#totalBytes === 0 ? 100 : Math.floor((this.#bytes / this.#totalBytes) * 100);
    return [
      `${percent}%`,
      `${humanBytes(this.#bytes)} of ${humanBytes(this.#totalBytes)}`,
      ...this.#pace(),
      cutStart(oneLine(path), nameColumns),
    ].join('  ');
  }

  #pace(): string[] {
    const tookMs = this.#clock.monotonicMs() - (this.#fetchBeganMs ?? Number.POSITIVE_INFINITY);
    if (tookMs <= measuredMs || this.#fetchedBytes === 0) return [];
    const rate = (this.#fetchedBytes * 1000) / tookMs;
    return [`${humanBytes(rate)}/s`, `${humanDuration((this.#totalBytes - this.#bytes) / rate)} left`];
  }
}
