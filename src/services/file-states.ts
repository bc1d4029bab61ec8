import { FileFailure } from '../domain/failure.ts';
import type { WatchedPath } from '../domain/watched-path.ts';
import type {
  FileInfo,
  Follower,
  GrowingFile,
  ReadFile,
  Selection,
  UnreadableFile,
  WholeFile,
} from '../formats/reader.ts';
import { type Entry, type FileSource, fingerprintOf, type OpenFile } from '../ports/file-source.ts';

/** One look reads so much of a session's growing files; a long log that was just found does not delay other sessions. */
export const readBytesAtOnceMax = 8 * 1024 * 1024;

const chunkBytes = 1024 * 1024;
/** What begins and what ends the bytes that were read: a file that has other bytes there was begun anew. */
const seamBytes = 256;
const segmentsMax = 16;

/** How far a look at one file came. */
export interface FileLook {
  readonly read: ReadFile | undefined;
  /** Why the file, or what it holds now, could not be read; what it said before stays. */
  readonly problem?: FileFailure | UnreadableFile | Error;
  readonly bytesRead: number;
  /** There is more to read. */
  readonly behind: boolean;
}

/** What one reader remembers of one file, brought up to date by looking at the file as it is. */
export interface FileState {
  look(source: FileSource, entry: Entry, info: FileInfo, budgetBytes: number): Promise<FileLook>;
}

export function createFileState(selection: Selection): FileState {
  return selection.manner === 'whole' ? new WholeState(selection) : new GrowingState(selection);
}

class WholeState implements FileState {
  readonly #selection: WholeFile;
  #fingerprint = '';
  #parsed: { readonly value: unknown } | undefined;
  #problem: Error | undefined;

  constructor(selection: WholeFile) {
    this.#selection = selection;
  }

  async look(source: FileSource, entry: Entry, info: FileInfo): Promise<FileLook> {
    const fingerprint = fingerprintOf(entry.stat);
    let bytesRead = 0;
    if (fingerprint !== this.#fingerprint) {
      const bytes = await opened(source, entry.path, (file) =>
        file.read(0, Math.min(file.sizeBytes, this.#selection.bytesMax)),
      );
      // Not remembered: the next look tries again.
      if (bytes instanceof FileFailure)
        return { ...this.#seen(info), problem: bytes, bytesRead, behind: false };
      bytesRead = bytes.length;
      this.#parse(bytes, info);
      this.#fingerprint = fingerprint;
    }
    const problem = this.#problem;
    return { ...this.#seen(info), ...(problem && { problem }), bytesRead, behind: false };
  }

  #parse(bytes: Buffer, info: FileInfo): void {
    try {
      const complete = bytes.length >= info.sizeBytes;
      this.#parsed = { value: this.#selection.parse(bytes, { ...info, complete }) };
      this.#problem = undefined;
    } catch (error) {
      this.#problem = asError(error);
    }
  }

  #seen(info: FileInfo): { read: ReadFile | undefined } {
    return { read: this.#parsed && { ...info, parsed: this.#parsed.value } };
  }
}

class GrowingState implements FileState {
  readonly #selection: GrowingFile;
  #segments: Follower[] = [];
  #inode: bigint | undefined;
  #fingerprint = '';
  #offset = 0;
  #head: Buffer = Buffer.alloc(0);
  #tail: Buffer = Buffer.alloc(0);
  /** A follower that failed is not asked again. */
  #problem: Error | undefined;

  constructor(selection: GrowingFile) {
    this.#selection = selection;
  }

  async look(source: FileSource, entry: Entry, info: FileInfo, budgetBytes: number): Promise<FileLook> {
    const fingerprint = fingerprintOf(entry.stat);
    const isDone = fingerprint === this.#fingerprint && this.#offset >= entry.stat.sizeBytes;
    if (isDone || this.#problem) return this.#seen(info, 0, false);
    const before = this.#offset;
    const left = await opened(source, entry.path, (file) => this.#follow(file, budgetBytes));
    if (left instanceof FileFailure) return { ...this.#seen(info, 0, false), problem: left };
    this.#fingerprint = fingerprint;
    return this.#seen(info, Math.max(0, this.#offset - before), left > 0);
  }

  /** Gives the bytes that are left to read. */
  async #follow(file: OpenFile, budgetBytes: number): Promise<number> {
    if (!(await this.#goesOn(file))) this.#begin(file);
    const end = Math.min(file.sizeBytes, this.#offset + budgetBytes);
    while (this.#offset < end && !this.#problem) {
      const bytes = await file.read(this.#offset, Math.min(chunkBytes, end - this.#offset));
      this.#remember(bytes);
      this.#push(bytes);
    }
    return this.#problem ? 0 : file.sizeBytes - this.#offset;
  }

  /** The bytes that were read are still there, as far as their two ends tell. */
  async #goesOn(file: OpenFile): Promise<boolean> {
    if (this.#inode !== file.stat.ino || file.sizeBytes < this.#offset) return false;
    if (!(await file.read(0, this.#head.length)).equals(this.#head)) return false;
    const tail = await file.read(this.#offset - this.#tail.length, this.#tail.length);
    return tail.equals(this.#tail);
  }

  #begin(file: OpenFile): void {
    // Nothing was read of the one before: it was no segment.
    if (this.#offset > 0 || this.#segments.length === 0) this.#segments.push(this.#selection.follow());
    if (this.#segments.length > segmentsMax) this.#segments.shift();
    this.#inode = file.stat.ino;
    this.#offset = 0;
    this.#head = Buffer.alloc(0);
    this.#tail = Buffer.alloc(0);
  }

  #remember(bytes: Buffer): void {
    this.#offset += bytes.length;
    if (this.#head.length < seamBytes) {
      this.#head = Buffer.concat([this.#head, bytes.subarray(0, seamBytes - this.#head.length)]);
    }
    this.#tail = Buffer.concat([this.#tail, bytes.subarray(-seamBytes)]).subarray(-seamBytes);
  }

  #push(bytes: Buffer): void {
    try {
      this.#segments.at(-1)?.push(bytes);
    } catch (error) {
      this.#problem = asError(error);
    }
  }

  #seen(info: FileInfo, bytesRead: number, behind: boolean): FileLook {
    const read = this.#segments.length > 0 ? { ...info, segments: this.#segments } : undefined;
    return { read, ...(this.#problem && { problem: this.#problem }), bytesRead, behind };
  }
}

async function opened<T>(
  source: FileSource,
  path: WatchedPath,
  use: (file: OpenFile) => Promise<T>,
): Promise<T | FileFailure> {
  try {
    const file = await source.open(path);
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof FileFailure) return error;
    throw error;
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
