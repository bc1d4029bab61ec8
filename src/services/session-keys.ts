import type { WatchedPath } from '../domain/watched-path.ts';

/** Which session a key of the bucket belongs to: its log by the whole key, companions by the folder that they lie in. */
export class SessionKeys {
  readonly #roots = new Map<string, WatchedPath>();

  /** `folder` ends in a slash. */
  add(root: WatchedPath, log: string, folder: string): void {
    this.#roots.set(log, root);
    this.#roots.set(folder, root);
  }

  rootOf(key: string): WatchedPath | undefined {
    const exact = this.#roots.get(key);
    if (exact !== undefined) return exact;
    for (let slash = key.indexOf('/'); slash >= 0; slash = key.indexOf('/', slash + 1)) {
      const root = this.#roots.get(key.slice(0, slash + 1));
      if (root !== undefined) return root;
    }
    return undefined;
  }

  delete(root: WatchedPath): void {
    for (const [key, owner] of this.#roots) if (owner === root) this.#roots.delete(key);
  }
}
