import { createHash } from 'node:crypto';
import { FileFailure } from '../domain/failure.ts';
import type { JsonValue } from '../domain/json.ts';
import type { FactSource } from '../domain/merge-facts.ts';
import { baseName, quotePath, relativeTo, type WatchedPath } from '../domain/watched-path.ts';
import type { Assessment, Ending, FormatReader, ReadFile } from '../formats/reader.ts';
import { directoryIdentity, type Entry, type FileSource, fingerprintOf } from '../ports/file-source.ts';

/** What all readers together say of one session. */
export interface SessionReading {
  readonly sources: readonly FactSource[];
  readonly endings: readonly Ending[];
  readonly documents: Readonly<Record<string, JsonValue>>;
  readonly warnings: readonly string[];
  /** Relative to the root: kept whole in the log, no companions. */
  readonly native: ReadonlySet<WatchedPath>;
  /** Relative to the root: opening them failed. */
  readonly unreadable: readonly { readonly path: WatchedPath; readonly failure: FileFailure }[];
  /** A file could not be read just now: what is said here may be less than what there is. */
  readonly again: boolean;
  readonly nativeId: string | undefined;
  readonly nativeStartedAt: string | undefined;
  readonly nativeStartedBy: string | undefined;
}

export interface SessionFiles {
  readonly root: WatchedPath;
  readonly kind: 'directory' | 'file';
  readonly files: readonly Entry[];
}

export type OneFileReader = (name: string, bytes: Buffer) => Assessment | undefined;

/** A file that is a session by itself is read up to this; a session of its kind is a form, not a data set. */
export const oneFileBytesMax = 1024 * 1024;

/** Reads what readers want of a session, bounded, and only again when one of those files changed. */
export class SessionReadings {
  readonly #source: FileSource;
  readonly #readers: readonly FormatReader[];
  readonly #oneFile: OneFileReader;
  readonly #known = new Map<WatchedPath, { fingerprint: string; reading: SessionReading; isUsed: boolean }>();

  constructor(options: { source: FileSource; readers: readonly FormatReader[]; oneFile: OneFileReader }) {
    this.#source = options.source;
    this.#readers = options.readers;
    this.#oneFile = options.oneFile;
  }

  async read(session: SessionFiles): Promise<SessionReading> {
    const wanted =
      session.kind === 'file' ? session.files : session.files.filter((file) => this.#wants(session, file));
    const fingerprint = wanted.map((file) => `${file.path}\0${fingerprintOf(file.stat)}`).join('\0');
    const known = this.#known.get(session.root);
    if (known?.fingerprint === fingerprint) {
      known.isUsed = true;
      return known.reading;
    }
    const reading =
      session.kind === 'file' ? await this.#readOneFile(session) : await this.#readDirectory(session, wanted);
    if (reading.again) this.#known.delete(session.root);
    else this.#known.set(session.root, { fingerprint, reading, isUsed: true });
    return reading;
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

  #wants(session: SessionFiles, file: Entry): boolean {
    const path = relativeTo(session.root, file.path);
    return path !== undefined && this.#readers.some((reader) => reader.wants(path) !== undefined);
  }

  async #readDirectory(session: SessionFiles, wanted: readonly Entry[]): Promise<SessionReading> {
    const unreadable: { path: WatchedPath; failure: FileFailure }[] = [];
    const assessments: { reader: FormatReader; assessment: Assessment; native: WatchedPath[] }[] = [];
    for (const reader of this.#readers) {
      const files: ReadFile[] = [];
      const native: WatchedPath[] = [];
      for (const entry of wanted) {
        const path = relativeTo(session.root, entry.path) ?? entry.path;
        const wish = reader.wants(path);
        if (!wish) continue;
        const read = await this.#readFile(entry, path, wish.bytesMax);
        if (read instanceof FileFailure) unreadable.push({ path, failure: read });
        else files.push(read);
        if (wish.keep === 'native') native.push(path);
      }
      if (files.length > 0) assessments.push({ reader, assessment: reader.assess(files), native });
    }
    return combine(assessments, unreadable);
  }

  async #readOneFile(session: SessionFiles): Promise<SessionReading> {
    const entry = session.files[0];
    const name = baseName(session.root);
    if (!entry || !name.endsWith('.json')) return combine([], []);
    const read = await this.#readFile(entry, name, oneFileBytesMax);
    if (read instanceof FileFailure) return combine([], [{ path: name, failure: read }]);
    const assessment = read.complete ? this.#oneFile(name, read.bytes) : undefined;
    return combine(assessment ? [{ reader: { name }, assessment, native: [name] }] : [], []);
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

  async #readFile(entry: Entry, path: WatchedPath, bytesMax: number): Promise<ReadFile | FileFailure> {
    try {
      const file = await this.#source.open(entry.path);
      try {
        const length = Math.min(file.sizeBytes, bytesMax);
        const bytes = await file.read(0, length);
        const modifiedAtMs = Number(file.stat.mtimeNs / 1_000_000n);
        return { path, bytes, modifiedAtMs, complete: length === file.sizeBytes, sizeBytes: file.sizeBytes };
      } finally {
        await file.close();
      }
    } catch (error) {
      if (error instanceof FileFailure) return error;
      throw error;
    }
  }
}

function isPassing({ reason }: FileFailure): boolean {
  return reason === 'changing';
}

function combine(
  parts: readonly { reader: { name: string }; assessment: Assessment; native: readonly WatchedPath[] }[],
  unreadable: SessionReading['unreadable'],
): SessionReading {
  const unread = new Set(parts.flatMap(({ assessment }) => assessment.unread));
  const failed = new Set(unreadable.map(({ path }) => path));
  const native = parts
    .flatMap((part) => part.native)
    .filter((path) => !unread.has(path) && !failed.has(path));
  const starter = parts.find(({ assessment }) => assessment.facts.startedAt !== undefined)?.assessment;
  return {
    sources: parts.map(({ reader, assessment }) => ({
      source: reader.name,
      facts: assessment.facts,
      provenance: assessment.provenance,
    })),
    endings: parts.flatMap(({ assessment }) => assessment.ending ?? []),
    documents: Object.assign({}, ...parts.map(({ assessment }) => assessment.documents)),
    warnings: [
      ...parts.flatMap(({ assessment }) => assessment.warnings),
      ...unreadable.map(({ path, failure }) => `${quotePath(path)}: ${failure.message}`),
    ],
    native: new Set(native),
    unreadable,
    again: unreadable.some(({ failure }) => isPassing(failure)),
    nativeId: parts.find(({ assessment }) => assessment.facts.id !== undefined)?.assessment.facts.id,
    nativeStartedAt: starter?.facts.startedAt,
    nativeStartedBy: starter?.provenance['session.startedAt'],
  };
}
