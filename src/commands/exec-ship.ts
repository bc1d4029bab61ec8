import { join } from 'node:path';
import { StateError } from '../adapters/journal-trouble.ts';
import type { Agent } from '../compose.ts';
import type { Edge } from './edge.ts';
import { heldCode, words } from './exec-words.ts';
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
    let asked = 0;
    // Not at the first time: services that are asked to stop have begun.
    const isOver = () => ours.isOver && ++asked > 1;
    const code = await ship(ours.edge, flags, { ...common, isDone: isOver, isFollowed: true });
    if (ours.requests > 0) return code;
    return await ship(ours.edge, flags, { ...common, isDone: (agent) => isShipped(agent, root) });
  } catch (error) {
    if (error instanceof StateError && error.trouble.kind === 'held') return heldCode;
    throw error;
  } finally {
    ours.stop();
  }
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
