import { systemClock } from '../adapters/system-time.ts';
import type { Clock } from '../ports/clock.ts';
import { cutEnd } from './columns.ts';
import type { Edge } from './edge.ts';

const columnsElsewhere = 80;
const everyMs = 250;

export type LineEdge = Pick<Edge, 'stderrIsTerminal' | 'stderrColumns' | 'stderr'>;

/** One line at the foot of a terminal that is written over; elsewhere nothing. */
export class StatusLine {
  readonly #edge: LineEdge;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #isShown = false;
  #shownMs = Number.NEGATIVE_INFINITY;

  constructor(edge: LineEdge, clock: Pick<Clock, 'monotonicMs'> = systemClock) {
    this.#edge = edge;
    this.#clock = clock;
  }

  /** As often as an eye can follow. */
  show(text: () => string): void {
    const nowMs = this.#clock.monotonicMs();
    if (!this.#edge.stderrIsTerminal || nowMs - this.#shownMs < everyMs) return;
    this.#shownMs = nowMs;
    this.#isShown = true;
    this.#edge.stderr(`\r\u001b[K${cutEnd(text(), this.#columns())}`);
  }

  /** Before anything else is written. */
  clear(): void {
    if (this.#isShown) this.#edge.stderr('\r\u001b[K');
    this.#isShown = false;
  }

  /** A line that fills the last column may begin a new one, and would then not be written over. */
  #columns(): number {
    return (this.#edge.stderrColumns?.() ?? columnsElsewhere) - 1;
  }
}
