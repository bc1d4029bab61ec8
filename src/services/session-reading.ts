import { createHash } from 'node:crypto';
import { FileFailure } from '../domain/failure.ts';
import { baseName, relativeTo, type WatchedPath } from '../domain/watched-path.ts';
import type { Assessment, FileInfo, FormatReader } from '../formats/reader.ts';
import { directoryIdentity, type Entry, type FileSource, fingerprintOf } from '../ports/file-source.ts';
import { combine, emptyPart, isPassing, type ReaderPart, type SessionReading } from './combine-readings.ts';
import { readBytesAtOnceMax } from './file-states.ts';
import { ReaderStates } from './reader-states.ts';

export type { SessionReading } from './combine-readings.ts';

export interface SessionFiles {
  readonly root: WatchedPath;
  readonly kind: 'directory' | 'file';
  readonly files: readonly Entry[];
}

export type OneFileReader = (name: string, bytes: Buffer) => Assessment | undefined;

/** A file that is a session by itself is read up to this; a session of its kind is a form, not a data set. */
export const oneFileBytesMax = 1024 * 1024;

/** Reads what readers want of a session, bounded, and only again when one of those files changed. */
/** Sessions whose files are remembered; the one that was read longest ago goes first, and is read anew when it changes. */
const rememberedMax = 256;

interface Known {
  readonly states: ReaderStates;
  fingerprint: string;
  reading: SessionReading | undefined;
  isUsed: boolean;
}

/** Reads what readers want of a session, bounded, and only what was added or changed since. */
export class SessionReadings {
  readonly #source: FileSource;
  readonly #readers: readonly FormatReader[];
  readonly #oneFile: OneFileReader;
  readonly #known = new Map<WatchedPath, Known>();

  constructor(options: { source: FileSource; readers: readonly FormatReader[]; oneFile: OneFileReader }) {
    this.#source = options.source;
    this.#readers = options.readers;
    this.#oneFile = options.oneFile;
  }

  /** `toEnd`: however long its files are. */
  async read(session: SessionFiles, { toEnd = false } = {}): Promise<SessionReading> {
    const known = this.#remember(session.root);
    const fingerprint = session.files.map((file) => `${file.path}\0${fingerprintOf(file.stat)}`).join('\0');
    if (known.reading && known.fingerprint === fingerprint && !known.reading.behind) return known.reading;
    const reading =
      session.kind === 'file'
        ? await this.#readOneFile(session)
        : await this.#readDirectory(session, known.states, toEnd);
    known.fingerprint = fingerprint;
    known.reading = reading.again ? undefined : reading;
    return reading;
  }

  #remember(root: WatchedPath): Known {
    const known = this.#known.get(root) ?? {
      states: new ReaderStates(this.#source),
      fingerprint: '',
      reading: undefined,
      isUsed: true,
    };
    known.isUsed = true;
    this.#known.delete(root);
    this.#known.set(root, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > rememberedMax && oldest !== undefined) this.#known.delete(oldest);
    return known;
  }

  /** Lets go of what nobody asked for since the last call: a candidate that left is not heard of again. */
  forgetUnused(): void {
    for (const [root, known] of this.#known) {
      if (!known.isUsed) this.#known.delete(root);
      known.isUsed = false;
    }
  }

  forget(root: WatchedPath): void {
    this.#known.delete(root);
  }

  async #readDirectory(session: SessionFiles, states: ReaderStates, toEnd: boolean): Promise<SessionReading> {
    const files = new Map<WatchedPath, { entry: Entry; info: FileInfo }>();
    const infos: FileInfo[] = [];
    for (const entry of session.files) {
      const path = relativeTo(session.root, entry.path) ?? entry.path;
      const { sizeBytes, mtimeNs } = entry.stat;
      const info = { path, sizeBytes, modifiedAtMs: Number(mtimeNs / 1_000_000n) };
      infos.push(info);
      files.set(path, { entry, info });
    }
    const budget = { bytes: toEnd ? Number.POSITIVE_INFINITY : readBytesAtOnceMax };
    const view = { name: baseName(session.root), files: infos };
    const parts: ReaderPart[] = [];
    states.begin();
    for (const reader of this.#readers) {
      const part = await states.read(reader, view, files, budget);
      if (part) parts.push(part);
    }
    states.forgetUnused();
    return combine(parts, infos);
  }

  async #readOneFile(session: SessionFiles): Promise<SessionReading> {
    const entry = session.files[0];
    const name = baseName(session.root);
    if (!entry || !name.endsWith('.json')) return combine([]);
    const bytes = await this.#readSmall(entry);
    if (bytes instanceof FileFailure) {
      return combine([{ ...emptyPart, name, failed: [{ path: name, failure: bytes }] }]);
    }
    const assessment = bytes && this.#oneFile(name, bytes);
    return combine(assessment ? [{ ...emptyPart, name, assessment, native: [name] }] : []);
  }

  /**
   * What a file straight in the folder is when it is a session by itself; undefined when it is none. A document is known
   * by its id or start, not by its inode: it is written anew and renamed into place. Throws FileFailure while it cannot
   * be told.
   */
  async oneFileIdentity(entry: Entry): Promise<string | undefined> {
    const name = baseName(entry.path);
    if (name.endsWith('.log')) return directoryIdentity(entry.stat);
    if (!name.endsWith('.json') || entry.stat.sizeBytes > oneFileBytesMax) return undefined;
    const reading = await this.read({ root: entry.path, kind: 'file', files: [entry] });
    const passing = reading.unreadable.find(({ failure }) => isPassing(failure));
    if (passing) throw passing.failure;
    if (reading.native.size === 0) return undefined;
    const { nativeId, nativeStartedAt } = reading;
    const known = nativeId === undefined ? `start ${nativeStartedAt}` : `id ${nativeId}`;
    return createHash('sha256').update(known).digest('base64url').slice(0, 24);
  }

  /** Undefined when it is longer than a form would be. */
  async #readSmall(entry: Entry): Promise<Buffer | undefined | FileFailure> {
    try {
      const file = await this.#source.open(entry.path);
      try {
        return file.sizeBytes > oneFileBytesMax ? undefined : await file.read(0, file.sizeBytes);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (error instanceof FileFailure) return error;
      throw error;
    }
  }
}
