import {
  isIgnoredName,
  parentPath,
  quotePath,
  relativeTo,
  type WatchedPath,
} from '../../src/domain/watched-path.ts';
import type { EntryKind, FileStat } from '../../src/ports/file-source.ts';
import { type MemoryNode, statOf } from './memory-file.ts';

export interface MemoryTreeOptions {
  readonly clock?: { nowMs(): number };
  /** As ext4: the inode number of what was removed last goes to what is made next. */
  readonly reuseInodes?: boolean;
}

/** A directory tree in memory and what a trainer does in it. Times are the clock's, a nanosecond more with each change. */
export class MemoryTree {
  protected readonly nodes = new Map<WatchedPath, MemoryNode>();
  /** Called after each change of a path that is not ignored. */
  protected onChange: (path: WatchedPath) => void = () => undefined;

  readonly #clock: { nowMs(): number };
  readonly #reuseInodes: boolean;
  readonly #freeInodes: bigint[] = [];
  #changes = 0n;
  #lastIno = 1n;

  constructor(options: MemoryTreeOptions) {
    this.#clock = options.clock ?? { nowMs: () => Date.UTC(2026, 0, 2, 3, 4, 5) };
    this.#reuseInodes = options.reuseInodes ?? false;
    this.nodes.set('', this.#made('directory'));
  }

  /** Makes the file and the directories above it; a file that is there is truncated and written, the same inode. */
  write(path: WatchedPath, bytes: string | Uint8Array): void {
    const there = this.nodes.get(path);
    const node = there?.kind === 'file' ? there : this.#add(path, 'file');
    this.#setContent(path, node, Buffer.from(bytes));
  }

  append(path: WatchedPath, bytes: string | Uint8Array): void {
    const node = this.existing(path);
    this.#setContent(path, node, Buffer.concat([node.content, Buffer.from(bytes)]));
  }

  /** Written again to the same size, within the tick of the clock in which it was written last: no time tells. */
  writeUnseen(path: WatchedPath, bytes: string): void {
    const node = this.existing(path);
    if (node.content.length !== Buffer.byteLength(bytes))
      throw new Error(`writing ${quotePath(path)} unseen: another size is seen`);
    node.content = Buffer.from(bytes);
  }

  /** As a power cut does: the last bytes never reached the disk, the times that were written before them did. */
  lose(path: WatchedPath, sizeBytes: number): void {
    const node = this.existing(path);
    node.content = node.content.subarray(0, sizeBytes);
  }

  /** As writing elsewhere and renaming over it: another inode. */
  replace(path: WatchedPath, bytes: string | Uint8Array): void {
    this.remove(path);
    this.write(path, bytes);
  }

  mkdir(path: WatchedPath): void {
    if (this.nodes.get(path)?.kind !== 'directory') this.#add(path, 'directory');
  }

  /** A symbolic link; where it leads never matters. */
  link(path: WatchedPath): void {
    this.#add(path, 'link');
  }

  /** Another name of the same file. */
  hardLink(from: WatchedPath, to: WatchedPath): void {
    const node = this.existing(from);
    if (parentPath(to) !== '') this.mkdir(parentPath(to));
    this.nodes.set(to, node);
    node.links += 1;
    node.ctimeNs = this.tick();
    this.#parentChanged(to);
    this.#changed(to);
  }

  /** A FIFO, a socket or a device. */
  other(path: WatchedPath): void {
    this.#add(path, 'other');
  }

  /** With all that is below. */
  remove(path: WatchedPath): void {
    for (const below of this.#below(path)) this.#drop(below);
    this.#drop(path);
    this.#parentChanged(path);
    this.#changed(path);
  }

  rename(from: WatchedPath, to: WatchedPath): void {
    const node = this.existing(from);
    const moved = [...this.#below(from)].map((path) => [path, this.existing(path)] as const);
    if (this.nodes.has(to)) this.remove(to);
    if (parentPath(to) !== '') this.mkdir(parentPath(to));
    for (const path of [...moved.map(([path]) => path), from]) this.nodes.delete(path);
    for (const [path, below] of moved) this.nodes.set(to + path.slice(from.length), below);
    this.nodes.set(to, node);
    node.ctimeNs = this.tick();
    this.#parentChanged(from);
    this.#parentChanged(to);
    this.#changed(from);
    this.#changed(to);
  }

  /** Sets mtime, as touch and tar do; ctime is always now. */
  touch(path: WatchedPath, mtimeMs = this.#clock.nowMs()): void {
    const node = this.existing(path);
    node.ctimeNs = this.tick();
    node.mtimeNs = BigInt(mtimeMs) * 1_000_000n;
    this.#changed(path);
  }

  /** Removed and made again: empty, another identity. */
  recreateFolder(): void {
    for (const path of this.#below('')) this.#drop(path);
    this.nodes.set('', this.#made('directory'));
  }

  /** The present stat of what stands at `path`. */
  statAt(path: WatchedPath): FileStat | undefined {
    const node = this.nodes.get(path);
    return node === undefined ? undefined : statOf(node);
  }

  #setContent(path: WatchedPath, node: MemoryNode, content: Buffer): void {
    node.content = content;
    node.mtimeNs = this.tick();
    node.ctimeNs = node.mtimeNs;
    this.#changed(path);
  }

  #add(path: WatchedPath, kind: EntryKind): MemoryNode {
    if (path === '' || this.nodes.has(path))
      throw new Error(`making ${quotePath(path)}: it is there already`);
    if (parentPath(path) !== '') this.mkdir(parentPath(path));
    const node = this.#made(kind);
    this.nodes.set(path, node);
    this.#parentChanged(path);
    this.#changed(path);
    return node;
  }

  #made(kind: EntryKind): MemoryNode {
    const nowNs = this.tick();
    const ino = this.#freeInodes.pop() ?? ++this.#lastIno;
    return {
      kind,
      ino,
      content: Buffer.alloc(0),
      mtimeNs: nowNs,
      ctimeNs: nowNs,
      birthtimeNs: nowNs,
      links: 1,
    };
  }

  #drop(path: WatchedPath): void {
    const node = this.existing(path);
    this.nodes.delete(path);
    node.links -= 1;
    node.ctimeNs = this.tick();
    if (this.#reuseInodes) this.#freeInodes.push(node.ino);
  }

  protected existing(path: WatchedPath): MemoryNode {
    const node = this.nodes.get(path);
    if (node === undefined) throw new Error(`using ${quotePath(path)}: there is no such thing in the folder`);
    return node;
  }

  #below(path: WatchedPath): WatchedPath[] {
    return [...this.nodes.keys()].filter((other) => other !== path && relativeTo(path, other) !== undefined);
  }

  #parentChanged(path: WatchedPath): void {
    const parent = this.nodes.get(parentPath(path));
    if (parent === undefined) return;
    parent.mtimeNs = this.tick();
    parent.ctimeNs = parent.mtimeNs;
  }

  protected tick(): bigint {
    return BigInt(Math.trunc(this.#clock.nowMs())) * 1_000_000n + ++this.#changes;
  }

  #changed(path: WatchedPath): void {
    if (!path.split('/').some(isIgnoredName)) this.onChange(path);
  }
}
