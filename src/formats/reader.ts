import type { Facts, Provenance } from '../domain/facts.ts';
import type { JsonValue } from '../domain/json.ts';
import type { WatchedPath } from '../domain/watched-path.ts';

export type { Facts, Provenance } from '../domain/facts.ts';

/**
 * What knows one way of writing a training session: which directories are one, which files it wants to see, and what
 * they say. Pure: files are read for it. Several readers may speak for one session; their facts are merged per field.
 *
 * A name is a hint, content decides: a file that is not what its name promises says nothing. Damage never fails a
 * session: what cannot be read is a warning that names file and place, and the file still ships. All that a reader
 * keeps of a file is bounded, whatever the file's length.
 */
export interface FormatReader {
  readonly name: string;
  /** Is this directory one run, by the names in and below it? `proof` asks to see content as well. */
  recognise(directory: DirectoryView): Recognition | undefined;
  /**
   * Directories straight in the watched folder that it looks into to recognise the folder itself as one run; of others
   * `below` knows nothing there.
   */
  readonly looksInto?: RegExp;
  /** Which of the session's files it reads, and how. The same files always give the same answer. */
  select(files: readonly FileInfo[]): readonly Selection[];
  /** All that the files say together. The same files always give the same answer. */
  assess(read: readonly ReadFile[], session: SessionView): Assessment;
}

/** Names are as they are on disk. `''`, for the watched folder itself, has no name of its own. */
export interface DirectoryView {
  readonly name: string;
  /** Files and directories straight in it. */
  readonly names: ReadonlySet<string>;
  /** Names straight in a directory below it (`checkpoint-500`, `a/b`); empty where there is none. */
  below(path: string): ReadonlySet<string>;
}

export interface Recognition {
  /** `certain`: a session wherever it lies. `likely`: not inside another session. */
  readonly confidence: 'certain' | 'likely';
  readonly reason: string;
  /** One of these files must be believed by its first bytes; without it the names are enough. */
  readonly proof?: Proof;
}

export interface Proof {
  /** Relative to the directory, best first; the first few are looked at. */
  readonly paths: readonly string[];
  readonly bytesMax: number;
  /**
   * `bytes` may be cut at `bytesMax`, and may be half of what will be written. `later`: so far it may be a part of a run
   * around this directory; a session by itself once it has ended or fallen silent.
   */
  believe(bytes: Buffer, path: string): boolean | 'later';
}

/** A regular file of the session. */
export interface FileInfo {
  /** Relative to the session's root. */
  readonly path: WatchedPath;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

/** How one file is read. */
export type Selection = WholeFile | GrowingFile;

/** Read anew whenever it changed: JSON, YAML, the head of a binary. */
export interface WholeFile {
  readonly manner: 'whole';
  readonly path: WatchedPath;
  /** `native` files are kept whole in the session log and are no companions. */
  readonly keep: 'native' | 'companion';
  /** A longer file is handed over cut. */
  readonly bytesMax: number;
  /**
   * What is remembered of the file; `bytes` are not. Throws UnreadableFile: half-written files are tried again when they
   * change, what was read of them before stays.
   */
  parse(bytes: Buffer, file: FileInfo & { readonly complete: boolean }): unknown;
}

/** Read once, from its start on, and then only what was appended: text, CSV, records. */
export interface GrowingFile {
  readonly manner: 'append';
  readonly path: WatchedPath;
  readonly keep: 'companion';
  /** For a file that was seen for the first time, or begun anew under its name. */
  follow(): Follower;
}

/** What is remembered of a growing file. */
export interface Follower {
  /** The next bytes, in order, at most 1 MiB at a time, cut anywhere. Never throws: damage is remembered. */
  push(bytes: Buffer): void;
}

export interface ReadFile extends FileInfo {
  /** Of a whole file: what `parse` made of it, the last that could be read. */
  readonly parsed?: unknown;
  /**
   * Of a growing file, oldest first: more than one when it was truncated, replaced or begun anew. Never empty then. Facts,
   * durations too, come from the file as it is, so the last one counts: what came before is in there again, or another run's.
   */
  readonly segments?: readonly Follower[];
}

/** The session beyond the files that were read. */
export interface SessionView {
  /** Its directory's own name; `''` for the watched folder. */
  readonly name: string;
  /** Every regular file, in byte order of the paths. */
  readonly files: readonly FileInfo[];
}

/** A file that is not, or not yet, what its name promises. The message says what and where, without the file's name. */
export class UnreadableFile extends Error {
  override readonly name: string = 'UnreadableFile';
}

/** Evidence that a session has ended. */
export interface Ending {
  readonly status: 'completed' | 'failed' | 'cancelled' | 'interrupted';
  /** The file that says so. */
  readonly by: string;
  readonly endedAt?: string;
  readonly error?: string;
  /** It counts once nothing in the session changed for so long: a traceback may have been caught. */
  readonly quietMs?: number;
}

export interface Assessment {
  readonly facts: Facts;
  readonly provenance: Provenance;
  readonly ending?: Ending;
  /** A training was begun, or went on, after what told of an end: that end is taken back. */
  readonly goesOn?: boolean;
  /** Kept whole in the log's `native`, by file name. Not yet redacted. */
  readonly documents: Readonly<Record<string, JsonValue>>;
  readonly warnings: readonly string[];
}

export const nothing: Assessment = { facts: {}, provenance: {}, documents: {}, warnings: [] };
