import { join } from 'node:path';
import { StateError } from '../adapters/journal-trouble.ts';
import { systemClock } from '../adapters/system-time.ts';
import type { Agent } from '../compose.ts';
import type { Edge } from './edge.ts';
import { heldCode, shippingMs, words } from './exec-words.ts';
import type { GlobalFlags } from './inputs.ts';
import { ship } from './ship.ts';

export interface ExecShipOptions {
  readonly folder: string;
  /** The session's directory in the folder, relative; empty when it is the folder itself. */
  readonly root: string;
  readonly state: string;
}

/** What is still to be said when it is asked to end. */
const lastWords = '5s';
/** When the command ends: for its end to be seen, and for what is on its way. */
const lookMs = 3000;
const wayMs = 60_000;

/**
 * What `exec` runs beside its command; nobody else does. As `run` until it is told that the command is over, then as
 * `drain` of that one session: what else the folder holds is shipped with it, and not waited for. Until then a signal
 * that asks to end is none for it: a scheduler tells every process, and the command may have last words to write.
 */
export async function execShip(edge: Edge, flags: GlobalFlags, options: ExecShipOptions): Promise<number> {
  const { folder, root, state } = options;
  const ours = new Listening(edge);
  const overrides = { 'state.directory': state, 'drain.timeout': lastWords };
  const onEnd = (agent: Agent) => sayIfOpen(edge, agent, root);
  const common = { directory: folder, overrides, ignoresOpen: true, onEnd };
  try {
    const code = await ship(ours.edge, flags, { ...common, isDone: endOfRun(ours, root), isFollowed: true });
    if (ours.requests > 0) return code;
    const isDone = (agent: Agent) => isShipped(agent, root);
    return await ship(ours.edge, flags, { ...common, isDone, timeoutMs: shippingMs });
  } catch (error) {
    if (error instanceof StateError && error.trouble.kind === 'held') return heldCode;
    throw error;
  } finally {
    ours.stop();
  }
}

/**
 * Not while the session is on its way: a request that is cut off may still arrive, and the next life would have to wait
 * until it cannot any more.
 */
function endOfRun(ours: Listening, root: string): (agent: Agent) => boolean {
  let overAtMs: number | undefined;
  return ({ watcher, tracker }) => {
    if (!ours.isOver) return false;
    if (overAtMs === undefined) watcher.lookAt(root);
    overAtMs ??= systemClock.monotonicMs();
    const forMs = systemClock.monotonicMs() - overAtMs;
    const at = tracker.sessions.get(root)?.state.at ?? 'open';
    return at === 'shipped' || forMs >= (at === 'open' ? lookMs : wayMs);
  };
}

/** What it is told, by its standard input and by signals, and who is to hear that it shall end. */
class Listening {
  readonly edge: Edge;
  readonly #listeners = new Set<(signal: string) => void>();
  readonly stop: () => void;
  isOver = false;
  /** How often it was asked to leave the rest. */
  requests = 0;

  constructor(edge: Edge) {
    const stopListening = edge.onEndSignal((signal) => this.#leave(signal));
    const stopReading = edge.own?.onInput((word) => {
      if (word === words.over || word === undefined) this.isOver = true;
      if (word === words.leave) this.#leave('SIGTERM');
    });
    this.stop = () => {
      stopListening();
      stopReading?.();
    };
    this.edge = { ...edge, onEndSignal: (listener) => this.#add(listener) };
  }

  #leave(signal: string): void {
    if (!this.isOver) return;
    this.requests += 1;
    for (const listener of this.#listeners) listener(signal);
  }

  /** Who listens later has missed nothing. */
  #add(listener: (signal: string) => void): () => void {
    this.#listeners.add(listener);
    for (let request = 0; request < this.requests; request++) listener('SIGTERM');
    return () => void this.#listeners.delete(listener);
  }
}

/** A life that began after the end: what its first look found is all there is. */
function isShipped({ watcher, tracker, uploader }: Agent, root: string): boolean {
  const { folderState } = watcher;
  if (folderState !== undefined && folderState.state !== 'present') return true;
  if (watcher.surveysDone === 0) return false;
  const tracked = tracker.sessions.get(root);
  if (tracked === undefined || tracked.heldBy !== undefined) return uploader.isShipped;
  if (tracked.state.at === 'shipped') return tracked.changing.length === 0;
  return tracked.state.at === 'shipping' && uploader.isShipped;
}

/** Where nobody looked any more, or nothing says that it ended (the disk took no result), its files are not named one by one. */
function sayIfOpen(edge: Edge, { tracker, watcher, folder }: Agent, root: string): void {
  const isOpen = tracker.sessions.get(root)?.state.at === 'open';
  if (watcher.surveysDone > 0 && !isOpen) return;
  const place = JSON.stringify(join(folder, root));
  const why = isOpen ? 'nothing there says how it ended' : 'there was no time to look at it';
  edge.stderr(`unsent: ${place}: ${why}: "trainlogd drain" ships it\n`);
}
