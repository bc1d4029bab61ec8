import { relativeTo, type WatchedPath } from '../domain/watched-path.ts';
import type { ProcessTable } from '../ports/process-table.ts';
import { topName } from './folder-survey.ts';
import type { TrackedSession } from './tracked-session.ts';

/** All sessions that are remembered, by their roots, and what is asked of them together. */
export class TrackedSessions {
  readonly #byRoot = new Map<WatchedPath, TrackedSession>();

  readonly #again = new Set<WatchedPath>();

  /** What is parked of it is to be tried again at the next look, whatever the times of its files say. */
  tryAgain(root: WatchedPath): void {
    this.#again.add(root);
  }

  isToBeTried(root: WatchedPath): boolean {
    return this.#again.has(root);
  }

  /** The same, once. */
  takeTry(root: WatchedPath): boolean {
    return this.#again.delete(root);
  }

  get size(): number {
    return this.#byRoot.size;
  }

  get(root: WatchedPath): TrackedSession | undefined {
    return this.#byRoot.get(root);
  }

  add(tracked: TrackedSession): void {
    this.#byRoot.set(tracked.root, tracked);
  }

  /** Another session may have taken the root meanwhile; that one stays. */
  remove(tracked: TrackedSession): void {
    if (this.#byRoot.get(tracked.root) === tracked) this.#byRoot.delete(tracked.root);
  }

  all(): readonly TrackedSession[] {
    return [...this.#byRoot.values()];
  }

  atOrBelow(path: WatchedPath): readonly TrackedSession[] {
    return this.all().filter(({ root }) => root === path || relativeTo(path, root) !== undefined);
  }

  /** Sessions of which something is not in the journal yet, candidates included. */
  open(): readonly TrackedSession[] {
    return this.all().filter(isOpen);
  }

  /** Open ones, and those of which a file would not rest: there is more to come. */
  unfinished(): readonly TrackedSession[] {
    return this.all().filter(
      (tracked) => isOpen(tracked) || (tracked.heldBy === undefined && tracked.changing.length > 0),
    );
  }

  /** Names straight in the folder that must be looked at by now, and when the next one must be. */
  due(nowMs: number): { tops: ReadonlySet<WatchedPath>; nextMs: number } {
    const tops = new Set<WatchedPath>();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const tracked of this.#byRoot.values()) {
      if (tracked.lookAtMs <= nowMs) tops.add(topName(tracked.root));
      else nextMs = Math.min(nextMs, tracked.lookAtMs);
    }
    return { tops, nextMs };
  }

  withProcess(): readonly TrackedSession[] {
    return this.open().filter((tracked) => tracked.process !== undefined);
  }

  /** Asked without reading a directory; a dead process makes its session due. */
  async askProcesses(processes: ProcessTable): Promise<void> {
    for (const tracked of this.withProcess()) {
      if (tracked.process && !(await processes.isAlive(tracked.process))) {
        tracked.lookAtMs = Number.NEGATIVE_INFINITY;
      }
    }
  }
}

/** What another host ships is not waited for. */
function isOpen({ state, heldBy }: TrackedSession): boolean {
  return heldBy === undefined && state.at !== 'shipping' && state.at !== 'shipped';
}
