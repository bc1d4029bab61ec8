import { depthOf, parentPath, type WatchedPath } from '../domain/watched-path.ts';
import { topName } from './folder-survey.ts';

/**
 * Which changes were found in places of which events should have told: the names straight in the folder, and whatever
 * lies below the roots that are watched. Sessions at rest are not watched, so that no event of them is missed.
 */
export class WatchedChanges {
  #roots: ReadonlySet<WatchedPath> = new Set();
  #tops = new Set<WatchedPath>();

  watching(roots: ReadonlySet<WatchedPath>): ReadonlySet<WatchedPath> {
    this.#roots = roots;
    return roots;
  }

  note(root: { readonly path: WatchedPath; readonly kind: 'directory' | 'file' }, isNew: boolean): void {
    const isAtTop = depthOf(root.path) <= 1 && (isNew || root.kind === 'file');
    if (isAtTop || this.#isWatched(root.path)) this.#tops.add(topName(root.path));
  }

  /** Since it was last asked, by the names straight in the folder. */
  take(): ReadonlySet<WatchedPath> {
    const taken = this.#tops;
    this.#tops = new Set();
    return taken;
  }

  #isWatched(path: WatchedPath): boolean {
    for (let at = path; ; at = parentPath(at)) {
      if (this.#roots.has(at)) return true;
      if (at === '') return false;
    }
  }
}
