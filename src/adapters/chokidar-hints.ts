import { type FSWatcher, watch } from 'chokidar';
import { isIgnoredName, parentPath, type WatchedPath } from '../domain/watched-path.ts';
import { errnoOf } from './errno.ts';
import type { Problem } from './file-claims.ts';
import { type TopWatch, watchTop } from './top-watch.ts';

export type WatchMode = 'inotify' | 'polling' | 'off';

export interface HintsOptions {
  readonly onHint: (path: WatchedPath) => void;
  readonly onDegraded: (problem: Problem) => void;
  /** chokidar's own, unless a test stands in. */
  readonly watch?: typeof watch;
  /** The system's own, unless a test stands in. */
  readonly watchTop?: typeof watchTop;
}

const pollingMs = 5_000;
/** What Node and chokidar put where a name is not UTF-8. */
const garbled = '\ufffd';

/**
 * Says where something may have changed, so that a scan looks there sooner; never what changed. inotify loses events
 * without a word when its queue overflows or the folder is mounted anew, so nothing may depend on a hint.
 *
 * One watch is for the names straight in the folder, one watcher more for each root with all that is below. A watcher
 * for each root, because chokidar keeps every path that was ever unwatched, and they share inotify anyway.
 * At the system's limit all watchers are closed for good: half of them blind would be worse than none.
 */
export class ChokidarHints {
  readonly #options: HintsOptions;
  readonly #watchers = new Map<WatchedPath, FSWatcher>();
  #top: TopWatch | FSWatcher | undefined;
  #roots: ReadonlySet<WatchedPath> = new Set();
  #folder: { readonly realPath: string; readonly mode: WatchMode } | undefined;
  /** Closed, or at the system's limit: nothing is watched any more. */
  #over = false;

  constructor(options: HintsOptions) {
    this.#options = options;
  }

  /** The folder is there, for the first time or as another one: all watchers are made anew. */
  async attach(realPath: string, mode: WatchMode): Promise<void> {
    await this.detach();
    this.#folder = { realPath, mode };
    this.#reconcile();
  }

  async detach(): Promise<void> {
    this.#folder = undefined;
    const open = [...this.#watchers.values(), ...(this.#top === undefined ? [] : [this.#top])];
    this.#watchers.clear();
    this.#top = undefined;
    await Promise.all(open.map(closed));
  }

  async close(): Promise<void> {
    this.#over = true;
    await this.detach();
  }

  watch(roots: ReadonlySet<WatchedPath>): void {
    this.#roots = new Set(roots);
    this.#reconcile();
  }

  #reconcile(): void {
    const folder = this.#folder;
    if (folder === undefined || folder.mode === 'off' || this.#over) return;
    for (const [root, watcher] of this.#watchers) {
      if (this.#roots.has(root)) continue;
      this.#watchers.delete(root);
      void closed(watcher);
    }
    this.#top ??= folder.mode === 'polling' ? this.#open('', 0) : this.#openTop(folder.realPath);
    for (const root of this.#roots) {
      // A root whose name is not UTF-8 cannot be named to chokidar: scans find what changes there.
      if (this.#watchers.has(root) || !root.isWellFormed()) continue;
      const watcher = this.#open(root, undefined);
      if (watcher !== undefined) this.#watchers.set(root, watcher);
    }
  }

  /** Nothing was looked at before it: there is no moment that it missed. */
  #openTop(realPath: string): TopWatch {
    return (this.#options.watchTop ?? watchTop)(realPath, {
      onName: (name) => this.#hint(realPath, name === '' ? realPath : `${realPath}/${name}`),
      onError: (error) => this.#onError(error),
    });
  }

  #open(root: WatchedPath, depth: number | undefined): FSWatcher | undefined {
    const folder = this.#folder;
    if (folder === undefined || this.#over) return undefined;
    const at = root === '' ? folder.realPath : `${folder.realPath}/${root}`;
    const watcher = (this.#options.watch ?? watch)(at, {
      ...(depth === undefined ? {} : { depth }),
      followSymlinks: false,
      ignoreInitial: true,
      ignorePermissionErrors: true,
      atomic: false,
      usePolling: folder.mode === 'polling',
      interval: pollingMs,
      binaryInterval: pollingMs,
      ignored: (path) => path !== at && isIgnoredName(path.slice(path.lastIndexOf('/') + 1)),
    });
    watcher.on('all', (event, path) => {
      // Gone, perhaps to come back as another directory: watched anew when it is asked for again.
      if (event === 'unlinkDir' && path === at && root !== '') this.#forget(root, watcher);
      this.#hint(folder.realPath, path);
    });
    // What changed between the last look and this moment made no event: one more look.
    watcher.on('ready', () => this.#hint(folder.realPath, at));
    watcher.on('raw', (_event, name, details) => this.#hintGarbled(folder.realPath, name, details));
    watcher.on('error', (error) => this.#onError(error));
    return watcher;
  }

  #forget(root: WatchedPath, watcher: FSWatcher): void {
    if (this.#watchers.get(root) === watcher) this.#watchers.delete(root);
    void closed(watcher);
  }

  #hint(realPath: string, path: string): void {
    if (this.#folder?.realPath !== realPath) return;
    if (path !== realPath && !path.startsWith(`${realPath}/`)) return;
    let changed: WatchedPath = path.slice(realPath.length + 1);
    while (changed.includes(garbled)) changed = parentPath(changed);
    this.#options.onHint(changed);
  }

  /** chokidar looks for a file by the garbled name, finds none and is silent: its parent is named instead. */
  #hintGarbled(realPath: string, name: unknown, details: unknown): void {
    if (typeof name !== 'string' || !name.includes(garbled)) return;
    if (typeof details !== 'object' || details === null || !('watchedPath' in details)) return;
    if (typeof details.watchedPath === 'string') this.#hint(realPath, details.watchedPath);
  }

  #onError(error: unknown): void {
    const code = errnoOf(error);
    // Anything else concerns one directory, and the next scan reports that with its remedy.
    if (this.#over || !(code === 'ENOSPC' || code === 'EMFILE' || code === 'ENFILE')) return;
    this.#over = true;
    void this.detach();
    this.#options.onDegraded({
      code,
      message: `watching the folder for changes: the system's limit is reached (${code}); changes are found by scans only, which is slower and loses nothing`,
      remedy:
        code === 'ENOSPC'
          ? 'raise the limit, then restart: sysctl fs.inotify.max_user_watches=524288'
          : 'raise the limits, then restart: sysctl fs.inotify.max_user_instances=1024, and LimitNOFILE= in the unit',
    });
  }
}

/** Closing takes all listeners away, and an error without a listener would end the program. */
async function closed(watcher: TopWatch | FSWatcher): Promise<void> {
  try {
    const closing = watcher.close();
    if ('on' in watcher) watcher.on('error', () => undefined);
    await closing;
  } catch {
    // reason: a watcher that cannot close properly watches nothing any more either
  }
}
