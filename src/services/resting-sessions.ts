import { relativeTo, type WatchedPath } from '../domain/watched-path.ts';
import type { RestingSession } from '../ports/journal.ts';

/** A session that owes nothing, as far as it must be known to see that nothing of it changed. */
interface Resting extends RestedSession {
  /** The survey in which it was last seen. */
  seenIn: number;
}

/** One that another host shipped may not be in the journal of this one. */
export type RestedSession = Omit<RestingSession, 'sid'> & {
  readonly sid: number | undefined;
  readonly heldBy?: string;
};

/**
 * Directories whose sessions are shipped, from here or by another host, and stay in the folder by the hundred thousand: a few strings each. All else is
 * in the journal, and read from there when one of them changes, moves, or is gone.
 */
export class RestingSessions {
  readonly #byRoot = new Map<WatchedPath, Resting>();

  get size(): number {
    return this.#byRoot.size;
  }

  has(root: WatchedPath): boolean {
    return this.#byRoot.has(root);
  }

  isRecorded(root: WatchedPath): boolean {
    return this.#byRoot.get(root)?.sid !== undefined;
  }

  add({ sid, root, directoryIdentity, shape, heldBy }: RestedSession, seenIn: number): void {
    const held = heldBy === undefined ? {} : { heldBy };
    this.#byRoot.set(root, { sid, root, directoryIdentity, shape, ...held, seenIn });
  }

  /** True, and seen, when the root is the same directory with the same files. */
  see(root: WatchedPath, directoryIdentity: string, shapeOf: () => string, survey: number): boolean {
    const resting = this.#byRoot.get(root);
    if (resting?.directoryIdentity !== directoryIdentity || resting.shape !== shapeOf()) return false;
    resting.seenIn = survey;
    return true;
  }

  /** It is another's to remember from now on. */
  wake(root: WatchedPath): RestedSession | undefined {
    const resting = this.#byRoot.get(root);
    this.#byRoot.delete(root);
    return resting;
  }

  /** What cannot be looked at stays as it was last seen. */
  takeAsSeen(path: WatchedPath, survey: number): void {
    for (const resting of this.#byRoot.values()) if (isAtOrBelow(resting.root, path)) resting.seenIn = survey;
  }

  hasAtOrBelow(path: WatchedPath): boolean {
    for (const root of this.#byRoot.keys()) if (isAtOrBelow(root, path)) return true;
    return false;
  }

  notSeenIn(survey: number): readonly WatchedPath[] {
    const found: WatchedPath[] = [];
    for (const { root, seenIn } of this.#byRoot.values()) if (seenIn !== survey) found.push(root);
    return found;
  }
}

function isAtOrBelow(root: WatchedPath, path: WatchedPath): boolean {
  return root === path || relativeTo(path, root) !== undefined;
}
