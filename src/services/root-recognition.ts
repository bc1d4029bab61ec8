import { FileFailure } from '../domain/failure.ts';
import {
  type Confidence,
  type DirectoryNames,
  findRoots,
  namesByDirectory,
  type RootRules,
  rootReason,
  type SessionRoot,
} from '../domain/session-root.ts';
import { baseName, joinPath, type WatchedPath } from '../domain/watched-path.ts';
import type { DirectoryView, FormatReader, Proof } from '../formats/reader.ts';
import { type Entry, type FileSource, fingerprintOf, type Listing } from '../ports/file-source.ts';
import type { FolderLooks } from './metered-source.ts';

/** Where sessions start, but for what the readers say of a directory. */
export type SurveyRules = Omit<RootRules, 'recognise'> & { readonly recognition: RootRecognition };

/** Of one directory, and by one reader; the others may know it by other files. */
const proofFilesMax = 4;
const proofBytesMax = 256 * 1024;
/** An answer may bring up one more question, deeper down. */
const roundsMax = 12;
const verdictsMax = 4096;
/** Directories straight in the folder that are looked into to recognise the folder itself. */
const lookedIntoMax = 16;

interface Question {
  readonly entry: Entry;
  readonly key: string;
  readonly proof: Proof;
  readonly path: string;
}

interface Verdict {
  readonly inode: bigint;
  readonly fingerprint: string;
  readonly belief: boolean | 'later';
}

const ranks = { certain: 3, likely: 2, possible: 1, none: 0 } as const;

/**
 * Which directories are runs, by the names in and below them and, where a reader asks for it, by the first bytes of a
 * file. What was believed once stays believed while the file is the same one, as it only grows; what was not is looked
 * at again when it changed.
 */
export class RootRecognition {
  readonly #source: Pick<FileSource, 'open'>;
  readonly #readers: readonly FormatReader[];
  readonly #verdicts = new Map<string, Verdict>();

  constructor(source: Pick<FileSource, 'open'>, readers: readonly FormatReader[]) {
    this.#source = source;
    this.#readers = readers;
  }

  /** In a listing of everything below one directory. */
  async roots(listing: Listing, names: DirectoryNames, rules: SurveyRules): Promise<readonly SessionRoot[]> {
    const find = (known: RootRules) => findRoots(listing.self.path, names, false, known);
    return this.#settle(listing.entries, names, rules, find);
  }

  /** Is the watched folder itself one run? Of what lies below it, only what a reader wants to look into is listed. */
  async isFolderSession(
    source: FolderLooks,
    top: Listing,
    rules: SurveyRules,
    signal: AbortSignal,
  ): Promise<boolean> {
    const entries = [...top.entries, ...(rules.matches ? [] : await this.#entriesBelow(source, top, signal))];
    const names = namesByDirectory('', entries);
    const own = names.get('') ?? new Set();
    const find = (known: RootRules) => rootReason('', own, false, known);
    const by = await this.#settle(entries, names, rules, find);
    // By its name alone it is none: that would make one session of all that comes.
    return by !== undefined && by !== 'name';
  }

  async #entriesBelow(source: FolderLooks, top: Listing, signal: AbortSignal): Promise<Entry[]> {
    const isWanted = ({ kind, path }: Entry) =>
      kind === 'directory' && this.#readers.some(({ looksInto }) => looksInto?.test(path));
    const below: Entry[] = [];
    for (const { path } of top.entries.filter(isWanted).slice(-lookedIntoMax)) {
      // Two levels: `runs/<name>/events…`.
      const listing = await this.#listed(source, path, signal);
      below.push(...listing);
      const directories = listing.filter(({ kind }) => kind === 'directory').slice(-lookedIntoMax);
      for (const deeper of directories) below.push(...(await this.#listed(source, deeper.path, signal)));
    }
    return below;
  }

  async #listed(source: FolderLooks, path: WatchedPath, signal: AbortSignal): Promise<readonly Entry[]> {
    try {
      return (await source.list(path, signal))?.entries ?? [];
    } catch (error) {
      if (error instanceof FileFailure) return []; // reason: the survey of that directory names the problem
      throw error;
    }
  }

  /** Asks the rules until every file that they want to see was seen. */
  async #settle<T>(
    entries: readonly Entry[],
    names: DirectoryNames,
    rules: SurveyRules,
    find: (rules: RootRules) => T,
  ): Promise<T> {
    const files = new Map(entries.flatMap((entry) => (entry.kind === 'file' ? [[entry.path, entry]] : [])));
    for (let round = 0; ; round++) {
      const asked: Question[] = [];
      const recognise = (path: WatchedPath) => this.#recognise(path, names, files, asked);
      const found = find({ ...rules, recognise: (_, path) => recognise(path) });
      if (asked.length === 0 || round === roundsMax) return found;
      for (const question of asked) await this.#answer(question);
    }
  }

  #recognise(
    path: WatchedPath,
    names: DirectoryNames,
    files: ReadonlyMap<WatchedPath, Entry>,
    asked: Question[],
  ): Confidence | undefined {
    let best: Confidence | 'none' = 'none';
    for (const reader of this.#readers) {
      const found = reader.recognise(viewOf(path, names, reader));
      if (!found || ranks[found.confidence] <= ranks[best]) continue;
      const belief = found.proof ? this.#belief(reader, path, found.proof, files, asked) : true;
      if (belief === true) best = found.confidence;
      else if (belief === 'later' && best === 'none') best = 'possible';
    }
    return best === 'none' ? undefined : best;
  }

  /** The best that its files say; those that nobody looked into are asked for. */
  #belief(
    reader: FormatReader,
    directory: WatchedPath,
    proof: Proof,
    files: ReadonlyMap<WatchedPath, Entry>,
    asked: Question[],
  ): Verdict['belief'] {
    let best: Verdict['belief'] = false;
    for (const path of proof.paths.slice(0, proofFilesMax)) {
      const entry = files.get(joinPath(directory, path));
      if (!entry) continue;
      const key = `${reader.name}\0${directory}\0${path}`;
      const verdict = this.#verdicts.get(key);
      if (verdict?.belief === true && verdict.inode === entry.stat.ino) return true;
      if (verdict?.fingerprint !== fingerprintOf(entry.stat)) asked.push({ entry, key, proof, path });
      else if (verdict.belief === 'later') best = 'later';
    }
    return best;
  }

  async #answer({ entry, key, proof, path }: Question): Promise<void> {
    const bytes = await this.#firstBytes(entry, Math.min(proof.bytesMax, proofBytesMax));
    const belief = bytes !== undefined && believes(proof, bytes, path);
    this.#verdicts.delete(key);
    this.#verdicts.set(key, { inode: entry.stat.ino, fingerprint: fingerprintOf(entry.stat), belief });
    const [oldest] = this.#verdicts.keys();
    if (this.#verdicts.size > verdictsMax && oldest !== undefined) this.#verdicts.delete(oldest);
  }

  async #firstBytes(entry: Entry, bytesMax: number): Promise<Buffer | undefined> {
    try {
      const file = await this.#source.open(entry.path);
      try {
        return await file.read(0, Math.min(file.sizeBytes, bytesMax));
      } finally {
        await file.close();
      }
    } catch (error) {
      // reason: what cannot be read proves nothing; whoever ships the file names the problem
      if (error instanceof FileFailure) return undefined;
      throw error;
    }
  }
}

/** A reader's own mistake is no proof. */
function believes(proof: Proof, bytes: Buffer, path: string): Verdict['belief'] {
  try {
    return proof.believe(bytes, path);
  } catch {
    return false; // reason: a hostile file must not end the survey; its session is found by its name
  }
}

const none: ReadonlySet<string> = new Set();

/** In the watched folder itself each reader sees only the directories that it asked to look into. */
function viewOf(path: WatchedPath, names: DirectoryNames, { looksInto }: FormatReader): DirectoryView {
  const isSeen = (relative: string) => path !== '' || looksInto?.test(relative.split('/', 1)[0] ?? '');
  return {
    name: baseName(path),
    names: names.get(path) ?? none,
    below: (relative) => (isSeen(relative) && names.get(joinPath(path, relative))) || none,
  };
}
