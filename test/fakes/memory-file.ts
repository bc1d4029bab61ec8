import { FileFailure } from '../../src/domain/failure.ts';
import { quotePath, type WatchedPath } from '../../src/domain/watched-path.ts';
import type { EntryKind, FileStat, OpenFile } from '../../src/ports/file-source.ts';

/** What a directory entry of MemoryFolder leads to; lives on while a claim or an open file refers to it. */
export interface MemoryNode {
  readonly kind: EntryKind;
  readonly ino: bigint;
  readonly birthtimeNs: bigint;
  content: Buffer;
  mtimeNs: bigint;
  ctimeNs: bigint;
  links: number;
}

export function statOf(node: MemoryNode): FileStat {
  const { ino, mtimeNs, ctimeNs, birthtimeNs } = node;
  return { dev: 1n, ino, sizeBytes: node.content.length, mtimeNs, ctimeNs, birthtimeNs };
}

export class MemoryFile implements OpenFile {
  readonly stat: FileStat;
  readonly sizeBytes: number;
  readonly #node: MemoryNode;
  readonly #links: number;
  readonly #path: WatchedPath;
  readonly #beforeRead: (path: WatchedPath) => void;
  readonly #onClose: () => void;
  #closed = false;

  constructor(
    node: MemoryNode,
    path: WatchedPath,
    beforeRead: (path: WatchedPath) => void,
    onClose: () => void,
  ) {
    this.#node = node;
    this.#links = node.links;
    this.#path = path;
    this.#beforeRead = beforeRead;
    this.#onClose = onClose;
    this.stat = statOf(node);
    this.sizeBytes = this.stat.sizeBytes;
  }

  async read(position: number, length: number): Promise<Buffer> {
    this.#assertOpen();
    this.#beforeRead(this.#path);
    const bytes = Buffer.from(this.#node.content.subarray(position, position + length));
    if (bytes.length < length) throw changing(this.#path, 'EOF');
    return bytes;
  }

  async statNow(): Promise<FileStat> {
    this.#assertOpen();
    return statOf(this.#node);
  }

  async assertUnchanged(): Promise<void> {
    this.#assertOpen();
    const now = this.#node;
    const sameBytes = now.content.length === this.sizeBytes && now.mtimeNs === this.stat.mtimeNs;
    if (sameBytes && (now.ctimeNs === this.stat.ctimeNs || now.links !== this.#links)) return;
    throw changing(this.#path, 'CHANGED');
  }

  async close(): Promise<void> {
    if (this.#closed) throw new Error(`closing file ${quotePath(this.#path)}: it is closed already`);
    this.#closed = true;
    this.#onClose();
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error(`using file ${quotePath(this.#path)}: it is closed`);
  }
}

function changing(path: WatchedPath, code: string): FileFailure {
  return new FileFailure('changing', code, `reading file ${quotePath(path)}: it changed`, 'none needed');
}
