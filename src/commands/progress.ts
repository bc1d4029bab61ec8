import { systemClock } from '../adapters/system-time.ts';
import type { Agent } from '../compose.ts';
import { printSize } from '../config/units.ts';
import type { Edge } from './edge.ts';

/** One line that is written over on a terminal; elsewhere the log lines say enough. */
export class Progress {
  readonly #edge: Edge;
  #shownMs = Number.NEGATIVE_INFINITY;

  constructor(edge: Edge) {
    this.#edge = edge;
  }

  show(agent: Agent): void {
    if (!this.#edge.stderrIsTerminal) return;
    const nowMs = systemClock.monotonicMs();
    if (nowMs - this.#shownMs < 500) return;
    this.#shownMs = nowMs;
    this.#edge.stderr(`\r\u001b[K${progressLine(agent)}`);
  }
}

export function progressLine({ journal, folder, uploader }: Agent): string {
  const { shipped, shipping, open, pendingFiles, pendingBytes } = journal.backlog(folder);
  const sending = uploader.activeTransfers().map(({ path, sentBytes, sizeBytes }) => {
    const share = sizeBytes === 0 ? 100 : Math.round((sentBytes / sizeBytes) * 100);
    return `${path.slice(-30)} ${share}%`;
  });
  const backlog = `${shipped} sessions shipped, ${shipping + open} to go, ${pendingFiles} files, ${printSize(pendingBytes)}`;
  return [backlog, ...sending.slice(0, 2)].join(' | ').slice(0, 100);
}
