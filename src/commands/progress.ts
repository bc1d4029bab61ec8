import { systemClock } from '../adapters/system-time.ts';
import type { Agent } from '../compose.ts';
import type { ActiveTransfer } from '../services/active-transfer.ts';
import { cutEnd } from './columns.ts';
import type { Edge } from './edge.ts';
import { counted, humanSpan } from './human.ts';
import { oneLine } from './one-line.ts';
import { rateOf, sentOf } from './status-uploads.ts';
import { movedLine, nameLine } from './upload-line.ts';

const everyMs = 250;
const columnsElsewhere = 80;

type ProgressEdge = Pick<Edge, 'stderrIsTerminal' | 'stderrColumns' | 'stderr'>;

/** A few lines at the foot of a terminal that are written over; whatever else is said goes above them. Elsewhere nothing. */
export class Progress {
  readonly #edge: ProgressEdge;
  readonly #volume = new Volume();
  #lines: readonly string[] = [];
  #shownMs = Number.NEGATIVE_INFINITY;

  constructor(edge: ProgressEdge) {
    this.#edge = edge;
  }

  show(agent: Agent): void {
    const nowMs = systemClock.monotonicMs();
    if (!this.#edge.stderrIsTerminal || nowMs - this.#shownMs < everyMs) return;
    this.#shownMs = nowMs;
    const lines = progressLines(stateOf(agent, this.#volume), this.#columns());
    this.#edge.stderr(`${this.#back()}${lines.map((line) => `${line}\u001b[K`).join('\n')}\u001b[J`);
    this.#lines = lines;
  }

  /** Above the lines. */
  say(text: string): void {
    const lines = this.#lines.length === 0 ? '' : this.#lines.join('\n');
    this.#edge.stderr(this.#lines.length === 0 ? text : `${this.#back()}\u001b[J${text}${lines}`);
  }

  /** It takes the place of the log, so whoever pressed Ctrl-C must see here that it was heard. */
  ending(withinMs: number): void {
    if (!this.#edge.stderrIsTerminal) return;
    this.say(`ending in order, within ${humanSpan(withinMs)}; Ctrl-C again ends it at once\n`);
  }

  end(): void {
    if (this.#lines.length > 0) this.#edge.stderr(`${this.#back()}\u001b[J`);
    this.#lines = [];
  }

  /** To where the lines begin. */
  #back(): string {
    const up = this.#lines.length - 1;
    return up > 0 ? `\r\u001b[${up}A` : '\r';
  }

  /** A terminal that is written to in its last column may or may not begin a new line. */
  #columns(): number {
    return (this.#edge.stderrColumns?.() ?? columnsElsewhere) - 1;
  }
}

export interface ProgressState {
  readonly hasLooked: boolean;
  readonly folder: string;
  readonly open: number;
  readonly shipped: number;
  readonly sessions: number;
  readonly pendingFiles: number;
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond: number | undefined;
  readonly uploads: readonly ActiveTransfer[];
}

function stateOf({ journal, folder, uploader, rate, watcher }: Agent, volume: Volume): ProgressState {
  const { shipped, shipping, open, pendingFiles, pendingBytes } = journal.backlogCounts(folder);
  const uploads = uploader.activeTransfers().map(uploadState);
  const arrived = volume.arrived(shipped);
  return {
    hasLooked: watcher.surveysDone > 0,
    folder,
    open,
    shipped: arrived,
    sessions: arrived + shipping + open,
    pendingFiles,
    ...volume.look(pendingBytes, sentOf(uploads)),
    bytesPerSecond: rateOf({ uploads, bytesPerSecond: rate.bytesPerSecond }),
    uploads,
  };
}

/** What it is at this moment: a transfer goes on. */
function uploadState(transfer: ActiveTransfer): ActiveTransfer {
  const { session, path, sizeBytes, sentBytes, readBytes, startedMs, bytesPerSecond } = transfer;
  return { session, path, sizeBytes, sentBytes, readBytes, startedMs, bytesPerSecond };
}

/** What there is to send in all is known only bit by bit; what is there does not become less by it. */
export class Volume {
  #pendingBytes = 0;
  #totalBytes = 0;
  #shippedBefore: number | undefined;

  /** Sessions that were shipped since the first look. */
  arrived(shipped: number): number {
    this.#shippedBefore ??= shipped;
    return shipped - this.#shippedBefore;
  }

  look(pendingBytes: number, movingBytes: number): { doneBytes: number; totalBytes: number } {
    this.#totalBytes += Math.max(0, pendingBytes - this.#pendingBytes);
    this.#pendingBytes = pendingBytes;
    const leftBytes = Math.max(0, pendingBytes - movingBytes);
    return { doneBytes: Math.max(0, this.#totalBytes - leftBytes), totalBytes: this.#totalBytes };
  }
}

const uploadsMax = 4;

export function progressLines(state: ProgressState, columns: number): string[] {
  const { hasLooked, folder, open, shipped, sessions, pendingFiles, totalBytes, doneBytes } = state;
  const arrived = `${shipped} of ${counted(sessions, 'session')} there`;
  if (sessions === 0)
    return [cutEnd(`  ${hasLooked ? 'nothing to send yet' : 'looking'} in ${oneLine(folder)}`, columns)];
  if (pendingFiles === 0)
    return [cutEnd(`  ${arrived}${open > 0 ? ', waiting for files to come to rest' : ''}`, columns)];
  const { bytesPerSecond } = state;
  const all = movedLine({ sentBytes: doneBytes, sizeBytes: totalBytes, bytesPerSecond }, columns);
  const uploads = state.uploads.filter(({ sizeBytes }) => sizeBytes > 0);
  // The longest under way first: an order in which nothing jumps.
  const shown = uploads.toSorted((a, b) => a.startedMs - b.startedMs).slice(0, uploadsMax);
  const under = shown.map((upload) => {
    const name = nameLine(upload, Math.floor(columns / 2));
    return movedLine({ ...upload, bytesPerSecond: undefined }, columns, name);
  });
  return [cutEnd(`  ${arrived}, ${counted(pendingFiles, 'file')} to go`, columns), all, ...under];
}
