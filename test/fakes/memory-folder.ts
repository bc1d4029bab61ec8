import { FileFailure } from '../../src/domain/failure.ts';
import {
  isIgnoredName,
  parentPath,
  pathToBytes,
  quotePath,
  relativeTo,
  type WatchedPath,
} from '../../src/domain/watched-path.ts';
import type {
  ClaimInfo,
  DroppedClaims,
  EntryKind,
  FileSource,
  FileStat,
  FolderState,
  KeptClaims,
  Listing,
  OpenFile,
} from '../../src/ports/file-source.ts';
import { MemoryFile, type MemoryNode, statOf } from './memory-file.ts';
import { MemoryTree, type MemoryTreeOptions } from './memory-tree.ts';

export interface MemoryFolderOptions extends MemoryTreeOptions {
  readonly directory?: string;
}

/**
 * A watched folder in memory that behaves as the real one: inodes, times that move with every change, open files and
 * claims that outlive a deletion.
 */
export class MemoryFolder extends MemoryTree implements FileSource {
  readonly directory: string;
  /** Off: changes are found by scans only, as after a lost event. */
  emitHints = true;
  /** False: the system allows no hard links. */
  claimsPossible = true;
  /** True: the disk of the claims has too little room. */
  diskFull = false;
  /** Called before each read of an open file: the place to change it underneath. */
  beforeRead: (path: WatchedPath) => void = () => undefined;
  /** What was asked to be watched last. */
  watched: ReadonlySet<WatchedPath> = new Set();
  openFiles = 0;

  readonly #claims = new Map<string, MemoryNode>();
  readonly #aside = new Map<string, { names: string[]; sinceMs: number }>();
  readonly #failures = new Map<WatchedPath, FileFailure>();
  readonly #unreadable = new Map<WatchedPath, string>();
  #state: Exclude<FolderState, { state: 'present' }> | undefined;
  #network = false;
  #listener: (path: WatchedPath) => void = () => undefined;

  constructor(options: MemoryFolderOptions = {}) {
    super(options);
    this.directory = options.directory ?? '/watched';
    this.onChange = (path) => this.#hint(path);
  }

  // Faults.

  failOpen(path: WatchedPath, failure: FileFailure | undefined): void {
    if (failure === undefined) this.#failures.delete(path);
    else this.#failures.set(path, failure);
  }

  /** Listings report `path` as a problem and have nothing below it. */
  failDirectory(path: WatchedPath, code: string | undefined): void {
    if (code === undefined) this.#unreadable.delete(path);
    else this.#unreadable.set(path, code);
  }

  /** Undefined: there again, the same one. */
  setState(state: Exclude<FolderState, { state: 'present' }> | undefined): void {
    this.#state = state;
  }

  setNetwork(network: boolean): void {
    this.#network = network;
  }

  // FileSource.

  async state(): Promise<FolderState> {
    if (this.#state !== undefined) return this.#state;
    const { ino, birthtimeNs } = this.existing('');
    return {
      state: 'present',
      identity: `1:${ino}:${birthtimeNs}`,
      fileSystem: 'memory',
      network: this.#network,
    };
  }

  async list(at: WatchedPath, signal: AbortSignal): Promise<Listing | undefined> {
    return this.#listing(at, signal, (relative) => !relative.includes('/'));
  }

  async scan(at: WatchedPath, signal: AbortSignal): Promise<Listing | undefined> {
    return this.#listing(at, signal, () => true);
  }

  async open(path: WatchedPath): Promise<OpenFile> {
    const failure = this.#failures.get(path);
    if (failure !== undefined) throw failure;
    const node = this.#state === undefined ? this.nodes.get(path) : undefined;
    if (node === undefined) throw refused('vanished', 'ENOENT', path);
    if (node.kind !== 'file') throw refused('unreadable', notAFile[node.kind], path);
    return this.#opened(node, path);
  }

  async claim(path: WatchedPath, claim: string): Promise<FileStat | undefined> {
    const node = this.nodes.get(path);
    if (!this.claimsPossible || node?.kind !== 'file') return undefined;
    if (this.#claims.get(claim) === node) return statOf(node);
    await this.releaseClaim(claim);
    this.#claims.set(claim, node);
    node.links += 1;
    node.ctimeNs = this.tick();
    return statOf(node);
  }

  async openClaim(claim: string, path: WatchedPath): Promise<OpenFile | undefined> {
    const node = this.#claims.get(claim);
    return node === undefined ? undefined : this.#opened(node, path);
  }

  async releaseClaim(claim: string): Promise<FileStat | undefined> {
    const node = this.#claims.get(claim);
    if (node === undefined) return undefined;
    this.#claims.delete(claim);
    node.links -= 1;
    node.ctimeNs = this.tick();
    return statOf(node);
  }

  async claims(): Promise<readonly ClaimInfo[]> {
    return [...this.#claims].map(([claim, node]) => ({
      claim,
      sizeBytes: node.content.length,
      claimedAtMs: Number(node.ctimeNs / 1_000_000n),
      stat: statOf(node),
      isLastLink: this.#isOnlyClaimed(node),
    }));
  }

  async keepAside(claims: readonly string[], nowMs: number): Promise<KeptClaims | undefined> {
    const kept = claims.filter((claim) => this.#claims.delete(claim));
    if (kept.length === 0) return undefined;
    const directory = `/state/claims.unknown-${nowMs}`;
    this.#aside.set(directory, { names: kept, sinceMs: nowMs });
    return { directory, files: kept.length };
  }

  async dropKeptAside(nowMs: number, runningMs: number): Promise<readonly DroppedClaims[]> {
    const isOver = (sinceMs: number) => Math.min(nowMs - sinceMs, runningMs) > weekMs;
    const over = [...this.#aside].filter(([, { sinceMs }]) => isOver(sinceMs) || this.diskFull);
    return over.map(([directory, { names }]) => {
      this.#aside.delete(directory);
      return { directory, files: names.length, because: this.diskFull ? 'no room' : 'too old' };
    });
  }

  async releaseClaimsBelowFloor(): Promise<readonly string[]> {
    const lastLinks = [...this.#claims].filter(([, node]) => this.diskFull && this.#isOnlyClaimed(node));
    const names = lastLinks.sort(([, a], [, b]) => (a.ctimeNs < b.ctimeNs ? -1 : 1)).map(([claim]) => claim);
    for (const claim of names) this.#claims.delete(claim);
    return names;
  }

  #isOnlyClaimed(node: MemoryNode): boolean {
    return node.links <= [...this.#claims.values()].filter((claimed) => claimed === node).length;
  }

  async removeIfUnchanged(path: WatchedPath, expected: FileStat): Promise<'removed' | 'changed' | 'gone'> {
    const node = this.nodes.get(path);
    if (node === undefined) return 'gone';
    const now = statOf(node);
    const same =
      now.dev === expected.dev &&
      now.ino === expected.ino &&
      now.sizeBytes === expected.sizeBytes &&
      now.mtimeNs === expected.mtimeNs &&
      now.ctimeNs === expected.ctimeNs;
    if (node.kind !== 'file' || !same) return 'changed';
    this.remove(path);
    return 'removed';
  }

  watch(roots: ReadonlySet<WatchedPath>): void {
    this.watched = new Set(roots);
  }

  onHint(listener: (path: WatchedPath) => void): void {
    this.#listener = listener;
  }

  async close(): Promise<void> {
    this.#listener = () => undefined;
  }

  #listing(
    at: WatchedPath,
    signal: AbortSignal,
    wanted: (relative: WatchedPath) => boolean,
  ): Listing | undefined {
    signal.throwIfAborted();
    const self = this.nodes.get(at);
    if (this.#state !== undefined || self?.kind !== 'directory') return undefined;
    const problems: Listing['problems'][number][] = [];
    for (const [path, code] of this.#unreadable) {
      if (path !== at && relativeTo(at, path) === undefined) continue;
      problems.push({ path, code, remedy: `let the user that trainlogd runs as read ${quotePath(path)}` });
    }
    const hidden = (path: WatchedPath) =>
      [...this.#unreadable.keys()].some((dir) => path !== dir && relativeTo(dir, path) !== undefined);
    const entries = [...this.nodes]
      .filter(([path]) => {
        const relative = path === at ? undefined : relativeTo(at, path);
        if (relative === undefined || !wanted(relative) || hidden(path)) return false;
        return !relative.split('/').some(isIgnoredName);
      })
      .map(([path, node]) => ({ path, kind: node.kind, stat: statOf(node) }))
      .sort((a, b) => Buffer.compare(pathToBytes(a.path), pathToBytes(b.path)));
    return { self: { path: at, kind: 'directory', stat: statOf(self) }, entries, problems };
  }

  #opened(node: MemoryNode, path: WatchedPath): OpenFile {
    this.openFiles += 1;
    return new MemoryFile(
      node,
      path,
      (read) => this.beforeRead(read),
      () => {
        this.openFiles -= 1;
      },
    );
  }

  #hint(path: WatchedPath): void {
    if (!this.emitHints) return;
    const seen =
      parentPath(path) === '' ||
      [...this.watched].some((root) => root === path || relativeTo(root, path) !== undefined);
    if (seen) this.#listener(path);
  }
}

const weekMs = 7 * 24 * 3_600_000;

const notAFile: Readonly<Record<Exclude<EntryKind, 'file'>, string>> = {
  directory: 'EISDIR',
  link: 'ELOOP',
  other: 'ENXIO',
};

function refused(reason: 'vanished' | 'unreadable', code: string, path: WatchedPath): FileFailure {
  return new FileFailure(
    reason,
    code,
    `opening file ${quotePath(path)}: ${code}`,
    `look at ${quotePath(path)}`,
  );
}
