import { systemClock } from '../adapters/system-time.ts';
import type { Edge } from './edge.ts';

const columns = 79;
const everyMs = 250;

/** One line at the foot of a terminal that is written over; elsewhere nothing. */
export class StatusLine {
  readonly #edge: Edge;
  #isShown = false;
  #shownMs = Number.NEGATIVE_INFINITY;

  constructor(edge: Edge) {
    this.#edge = edge;
  }

  /** As often as an eye can follow. */
  show(text: () => string): void {
    const nowMs = systemClock.monotonicMs();
    if (!this.#edge.stderrIsTerminal || nowMs - this.#shownMs < everyMs) return;
    this.#shownMs = nowMs;
    this.#isShown = true;
    this.#edge.stderr(`\r\u001b[K${text().slice(0, columns)}`);
  }

  /** Before anything else is written. */
  clear(): void {
    if (this.#isShown) this.#edge.stderr('\r\u001b[K');
    this.#isShown = false;
  }
}
