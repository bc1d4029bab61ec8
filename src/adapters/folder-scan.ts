import { closeSync } from 'node:fs';
import { FileFailure } from '../domain/failure.ts';
import { baseName, depthOf, quotePath, type WatchedPath } from '../domain/watched-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { Entry, Listing } from '../ports/file-source.ts';
import { readChildren } from './directory-children.ts';
import { errnoOf, fileFailure, isLimit, meansVanished, remedyFor } from './errno.ts';
import type { FolderCalls } from './folder-calls.ts';
import {
  type Descent,
  type DirectoryHandle,
  openBelow,
  toFileStat,
  whereIs,
  withDirectory,
} from './folder-handle.ts';

export interface ScanBounds {
  readonly entriesMax: number;
  /** Levels below the folder that are listed. */
  readonly depthMax: number;
  readonly pathBytesMax: number;
  /** Work between two yields to the event loop. */
  readonly sliceMs: number;
}

export const scanBounds: ScanBounds = { entriesMax: 1_000_000, depthMax: 32, pathBytesMax: 4095, sliceMs: 5 };

export interface ScanRequest {
  readonly directory: string;
  readonly calls: FolderCalls;
  readonly at: WatchedPath;
  readonly recursive: boolean;
  readonly clock: Clock;
  readonly bounds: ScanBounds;
  /** When the event loop was last left to others; shared by scans that follow each other, most of them are short. */
  readonly slice: { startMs: number };
  readonly signal: AbortSignal;
}

/**
 * Undefined when `at` is not a directory (any more). Throws FileFailure('unreadable') when not even that can be told.
 */
export async function scanFolder(request: ScanRequest): Promise<Listing | undefined> {
  request.signal.throwIfAborted();
  try {
    return await withDirectory(request.directory, request.at, request.calls, (descent) =>
      new FolderScan(request, descent).run(),
    );
  } catch (error) {
    if (request.signal.aborted || error instanceof FileFailure) throw error;
    const code = errnoOf(error);
    if (code === 'UNKNOWN') throw error;
    // A link among the parents answers ENOTDIR, or ELOOP on some kernels: not a directory of this folder.
    if (meansVanished(code) || code === 'ELOOP') return undefined;
    throw fileFailure(error, `reading directory ${quotePath(request.at)}`, request.at);
  }
}

/** A directory on the way down: `steps` are its entries and, after each directory's own, the way into it. */
interface Level {
  readonly handle: DirectoryHandle;
  readonly identity: string;
  readonly steps: readonly Step[];
  next: number;
}

interface Step {
  readonly key: string;
  readonly entry: Entry;
  readonly enter: boolean;
}

/** Depth first without recursion; at most one descriptor for each level is open. */
class FolderScan {
  readonly #request: ScanRequest;
  readonly #calls: FolderCalls;
  readonly #descent: Descent;
  readonly #entries: Entry[] = [];
  readonly #problems: Listing['problems'][number][] = [];
  readonly #levels: Level[] = [];
  readonly #pathBytesMax: number;
  #seen = 0;

  constructor(request: ScanRequest, descent: Descent) {
    this.#request = request;
    this.#calls = request.calls;
    this.#descent = descent;
    this.#pathBytesMax = request.bounds.pathBytesMax - whereIs(descent.root).length - 1;
  }

  async run(): Promise<Listing> {
    const { at } = this.#request;
    const self: Entry = {
      path: at,
      kind: 'directory',
      stat: toFileStat(await this.#calls.stat(this.#descent.at.fd)),
    };
    try {
      await this.#descend(this.#descent.at, self);
      for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
        const step = level.steps[level.next++];
        if (step === undefined) this.#ascend();
        else if (step.enter) await this.#enter(level, step.entry);
        else this.#entries.push(step.entry);
      }
    } finally {
      while (this.#levels.length > 0) this.#ascend();
    }
    return { self, entries: this.#entries, problems: this.#problems };
  }

  async #enter(parent: Level, entry: Entry): Promise<void> {
    const { bounds } = this.#request;
    await this.#pause();
    if (this.#seen >= bounds.entriesMax) return;
    if (depthOf(entry.path) >= bounds.depthMax) return this.#problem(entry.path, 'TOO_DEEP');
    // A bind mount of a directory inside itself would be walked down to the depth bound.
    if (this.#levels.some((level) => level.identity === identityOf(entry)))
      return this.#problem(entry.path, 'ELOOP');
    let handle: DirectoryHandle;
    try {
      handle = await openBelow(parent.handle, baseName(entry.path), this.#calls);
    } catch (error) {
      const code = errnoOf(error);
      // What is below is there, and was not read: the whole look is to be made again.
      if (isLimit(code)) throw error;
      // Gone, or swapped for a link or a file, since it was listed.
      if (!meansVanished(code) && code !== 'ELOOP') this.#problem(entry.path, code);
      return;
    }
    await this.#descend(handle, entry);
  }

  async #descend(handle: DirectoryHandle, entry: Entry): Promise<void> {
    const level: Level = { handle, identity: identityOf(entry), steps: [], next: 0 };
    this.#levels.push(level);
    const children = await readChildren({
      directory: handle,
      path: entry.path,
      calls: this.#calls,
      entriesMax: this.#request.bounds.entriesMax - this.#seen,
      pathBytesMax: this.#pathBytesMax,
      pause: () => this.#pause(),
    });
    for (const { path, code } of children.problems) this.#problem(path, code);
    this.#seen += children.found.length;
    if (this.#seen >= this.#request.bounds.entriesMax) this.#problem(entry.path, 'TOO_MANY_ENTRIES');
    this.#levels[this.#levels.length - 1] = { ...level, steps: this.#stepsOf(children.found) };
  }

  /**
   * Paths in byte order: what is below `a` sorts as `a/`, after `a-b` and before `a0`. Only one directory is sorted
   * at a time; 100,000 names in one directory take about 60 ms without a yield.
   */
  #stepsOf(found: readonly { readonly key: string; readonly entry: Entry }[]): readonly Step[] {
    const steps: Step[] = [];
    for (const { key, entry } of found) {
      steps.push({ key, entry, enter: false });
      if (this.#request.recursive && entry.kind === 'directory')
        steps.push({ key: `${key}/`, entry, enter: true });
    }
    return steps.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  #ascend(): void {
    const level = this.#levels.pop();
    // The lowest one belongs to withDirectory.
    if (level !== undefined && this.#levels.length > 0) closeSync(level.handle.fd);
  }

  async #pause(): Promise<void> {
    const { clock, bounds, slice, signal } = this.#request;
    signal.throwIfAborted();
    if (clock.monotonicMs() - slice.startMs < bounds.sliceMs) return;
    await clock.sleep(0);
    slice.startMs = clock.monotonicMs();
    signal.throwIfAborted();
  }

  #problem(path: WatchedPath, code: string): void {
    this.#problems.push({ path, code, remedy: this.#remedy(path, code) });
  }

  #remedy(path: WatchedPath, code: string): string {
    const { bounds } = this.#request;
    const quoted = quotePath(path);
    if (code === 'TOO_DEEP') return `move ${quoted} up: more than ${bounds.depthMax} levels are not read`;
    if (code === 'TOO_MANY_ENTRIES') {
      return `move finished sessions away: more than ${bounds.entriesMax} entries are not read at once, reading stopped in ${quoted}`;
    }
    return remedyFor(code, quoted);
  }
}

function identityOf(entry: Entry): string {
  return `${entry.stat.dev}:${entry.stat.ino}`;
}
