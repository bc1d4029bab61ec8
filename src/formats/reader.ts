import type { Facts, Provenance } from '../domain/facts.ts';
import type { JsonValue } from '../domain/json.ts';
import type { WatchedPath } from '../domain/watched-path.ts';

export type { Facts, Provenance } from '../domain/facts.ts';

/**
 * What knows one way of writing a training session: which directories are one, which files it wants to see, and what
 * they say. Pure: files are read for it. Several readers may speak for one session; their facts are merged per field.
 *
 * Damage never fails a session: what cannot be read is a warning that names file and place, and the file still ships.
 */
export interface FormatReader {
  readonly name: string;
  /** Is a directory with these names straight in it one run? */
  recognise(names: ReadonlySet<string>): Recognition | undefined;
  /** Does it read this file, relative to the session's root, and how much of it? */
  wants(path: WatchedPath): Wanted | undefined;
  /** All that its files say together. The same files always give the same answer. */
  assess(files: readonly ReadFile[]): Assessment;
}

export interface Recognition {
  /** `certain`: a session wherever it lies. `likely`: not inside another session. */
  readonly confidence: 'certain' | 'likely';
  readonly reason: string;
}

export interface Wanted {
  /** `native` files are kept whole in the session log and are no companions. */
  readonly keep: 'native' | 'companion';
  /** A longer file is handed over cut. */
  readonly bytesMax: number;
}

export interface ReadFile {
  /** Relative to the session's root. */
  readonly path: WatchedPath;
  readonly bytes: Buffer;
  readonly modifiedAtMs: number;
  /** False when `bytes` was cut at `bytesMax`. */
  readonly complete: boolean;
  readonly sizeBytes: number;
}

/** Evidence that a session has ended. */
export interface Ending {
  readonly status: 'completed' | 'failed' | 'cancelled' | 'interrupted';
  /** The file that says so. */
  readonly by: string;
  readonly endedAt?: string;
  readonly error?: string;
}

export interface Assessment {
  readonly facts: Facts;
  readonly provenance: Provenance;
  readonly ending?: Ending;
  /** Kept whole in the log's `native`, by file name. Not yet redacted. */
  readonly documents: Readonly<Record<string, JsonValue>>;
  readonly warnings: readonly string[];
  /** Files of its kind that could not be read: they ship as companions. */
  readonly unread: readonly WatchedPath[];
}
