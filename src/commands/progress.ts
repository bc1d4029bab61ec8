import { systemClock } from '../adapters/system-time.ts';
import type { Agent } from '../compose.ts';
import type { Edge } from './edge.ts';
import { counted, humanBytes } from './human.ts';
import { oneLine } from './one-line.ts';

const columns = 79;
const barColumns = 20;
const everyMs = 250;

/** One line at the foot of a terminal that is written over; whatever else is said goes above it. Elsewhere nothing. */
export class Progress {
  readonly #edge: Edge;
  #line = '';
  #shownMs = Number.NEGATIVE_INFINITY;

  constructor(edge: Edge) {
    this.#edge = edge;
  }

  show(agent: Agent): void {
    const nowMs = systemClock.monotonicMs();
    if (!this.#edge.stderrIsTerminal || nowMs - this.#shownMs < everyMs) return;
    this.#shownMs = nowMs;
    this.#line = progressLine(agent);
    this.#edge.stderr(`\r\u001b[K${this.#line}`);
  }

  /** Above the line. */
  say(text: string): void {
    this.#edge.stderr(this.#line === '' ? text : `\r\u001b[K${text}${this.#line}`);
  }

  end(): void {
    if (this.#line !== '') this.#edge.stderr('\r\u001b[K');
    this.#line = '';
  }
}

export function progressLine({ journal, folder, uploader }: Agent): string {
  const { shipped, shipping, open, pendingFiles, pendingBytes } = journal.backlogCounts(folder);
  const all = shipped + shipping + open;
  const filled = all === 0 ? 0 : Math.floor((shipped / all) * barColumns);
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(barColumns - filled)}]`;
  const left = `${shipped} of ${counted(all, 'session')}, ${counted(pendingFiles, 'file')}, ${humanBytes(pendingBytes)} to go`;
  const largest = [...uploader.activeTransfers()].sort((a, b) => b.sizeBytes - a.sizeBytes)[0];
  const sending =
    largest && largest.sizeBytes > 0 ? `  ${oneLine(largest.path).slice(-20)} ${percent(largest)}` : '';
  return `${bar} ${left}${sending}`.slice(0, columns);
}

function percent({ sentBytes, sizeBytes }: { sentBytes: number; sizeBytes: number }): string {
  return `${Math.floor((sentBytes / sizeBytes) * 100)}%`;
}
