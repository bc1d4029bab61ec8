import { FileFailure } from '../domain/failure.ts';
import { namesByDirectory, owningRoot, type SessionRoot } from '../domain/session-root.ts';
import { depthOf, type WatchedPath } from '../domain/watched-path.ts';
import { directoryIdentity, type Entry, type Listing } from '../ports/file-source.ts';
import type { FolderLooks } from './metered-source.ts';
import type { SurveyRules } from './root-recognition.ts';

/** One look at the folder, or at a part of it: which sessions are there, with which files. */
export interface SurveyedSession {
  readonly root: SessionRoot;
  readonly directoryIdentity: string;
  readonly startedNoLaterThanNs: bigint;
  /** Regular files of this session and of no deeper one, in byte order. */
  readonly files: readonly Entry[];
  /** Links, FIFOs, sockets, devices: named or counted, never opened. */
  readonly others: readonly Entry[];
  readonly problems: Listing['problems'];
}

export interface Survey {
  /** What was looked at: the folder's own files, or all below one directory. */
  readonly top: WatchedPath;
  readonly sessions: readonly SurveyedSession[];
  /** Files that belong to no session. */
  readonly loose: readonly Entry[];
  /** Roots in which nothing has been written yet. */
  readonly empty: readonly WatchedPath[];
  /** What could not be looked at; sessions below it may be there all the same. */
  readonly problems: Listing['problems'];
  /** What could not be looked at may be looked at soon: the look is to be made again. */
  readonly again: boolean;
}

/**
 * What tells a file straight in the folder that is a session by itself from another; undefined when it is none. Throws
 * FileFailure when that cannot be told now.
 */
export type OneFileRule = (entry: Entry) => Promise<string | undefined>;

/** How a survey goes about it. `isLast`: directories straight in the folder that can wait until all others were looked at. */
export interface SurveyManner {
  readonly oneFile: OneFileRule;
  readonly isLast: (path: WatchedPath) => boolean;
}

/** The whole folder, one directory at a time, so that memory holds one subtree. */
export async function* surveyFolder(
  source: FolderLooks,
  rules: SurveyRules,
  { oneFile, isLast }: SurveyManner,
  signal: AbortSignal,
): AsyncGenerator<Survey> {
  const top = await listTop(source, signal);
  if (!top) return;
  if ('sessions' in top) {
    yield top;
    return;
  }
  if (await rules.recognition.isFolderSession(source, top, rules, signal)) {
    // What was a session by itself before the folder was one stays that.
    const before = top.entries.filter(({ kind, path }) => kind === 'file' && rules.frozen(path));
    const files = await surveyTopFiles({ ...top, entries: before, problems: [] }, rules, oneFile);
    const whole = await surveySubtree(source, '', rules, signal);
    if (whole) yield besides(whole, files, new Set(before.map(({ path }) => path)));
    return;
  }
  yield await surveyTopFiles(top, rules, oneFile);
  const directories = top.entries.filter(({ kind }) => kind === 'directory');
  const last = new Set(directories.filter(({ path }) => isLast(path)));
  for (const entry of [...directories.filter((one) => !last.has(one)), ...last]) {
    if (signal.aborted) return;
    const survey = await surveySubtree(source, entry.path, rules, signal);
    if (survey) yield survey;
  }
}

/** The folder's session without what is another's. */
function besides(whole: Survey, files: Survey, taken: ReadonlySet<WatchedPath>): Survey {
  const folder = whole.sessions.map((session) =>
    session.root.path === ''
      ? { ...session, files: session.files.filter(({ path }) => !taken.has(path)) }
      : session,
  );
  return {
    ...whole,
    sessions: [...folder.filter((session) => session.files.length > 0), ...files.sessions],
    problems: [...whole.problems, ...files.problems],
    again: whole.again || files.again,
  };
}

/** An unreadable directory is no absent one: it is named, and what was known of it stays. */
function unreadable(path: WatchedPath, { code, remedy, reason }: FileFailure): Survey {
  const problems = [{ path, code, remedy }];
  return { top: path, sessions: [], loose: [], empty: [], problems, again: reason === 'changing' };
}

async function listTop(source: FolderLooks, signal: AbortSignal): Promise<Listing | Survey | undefined> {
  try {
    return await source.list('', signal);
  } catch (error) {
    if (error instanceof FileFailure) return unreadable('', error);
    throw error;
  }
}

/** One directory straight in the folder. Undefined when it is not there or is no directory. */
export async function surveySubtree(
  source: FolderLooks,
  top: WatchedPath,
  rules: SurveyRules,
  signal: AbortSignal,
): Promise<Survey | undefined> {
  try {
    const listing = await source.scan(top, signal);
    return listing && (await surveyListing(listing, rules));
  } catch (error) {
    if (error instanceof FileFailure) return unreadable(top, error);
    throw error;
  }
}

export async function surveyTopFiles(
  top: Listing,
  rules: SurveyRules,
  oneFile: OneFileRule,
): Promise<Survey> {
  const sessions: SurveyedSession[] = [];
  const loose: Entry[] = [];
  const problems = [...top.problems];
  for (const entry of top.entries) {
    if (entry.kind === 'directory') continue;
    const identity = entry.kind === 'file' && !rules.matches ? await tryOneFile(entry, oneFile) : undefined;
    if (identity instanceof FileFailure) {
      const { code, remedy } = identity;
      problems.push({ path: entry.path, code, remedy });
      continue;
    }
    if (identity !== undefined) {
      sessions.push({
        root: { path: entry.path, kind: 'file', by: 'file' },
        directoryIdentity: identity,
        startedNoLaterThanNs: earliestNs([entry]),
        files: [entry],
        others: [],
        problems: [],
      });
    } else {
      loose.push(entry);
    }
  }
  const again = problems.length > top.problems.length;
  return { top: '', sessions, loose, empty: [], problems, again };
}

async function tryOneFile(entry: Entry, oneFile: OneFileRule): Promise<string | undefined | FileFailure> {
  try {
    return await oneFile(entry);
  } catch (error) {
    if (error instanceof FileFailure) return error;
    throw error;
  }
}

async function surveyListing(listing: Listing, rules: SurveyRules): Promise<Survey> {
  const top = listing.self.path;
  const names = namesByDirectory(top, listing.entries);
  const roots = await rules.recognition.roots(listing, names, rules);
  const paths = new Set(roots.map((root) => root.path));
  const selves = new Map<WatchedPath, Entry>([[top, listing.self]]);
  const owned = new Map<WatchedPath, { files: Entry[]; others: Entry[] }>();
  const loose: Entry[] = [];
  for (const entry of listing.entries) {
    if (entry.kind === 'directory') {
      selves.set(entry.path, entry);
      continue;
    }
    const owner = owningRoot(entry.path, paths);
    if (owner === undefined) {
      loose.push(entry);
      continue;
    }
    const mine = owned.get(owner) ?? { files: [], others: [] };
    owned.set(owner, mine);
    (entry.kind === 'file' ? mine.files : mine.others).push(entry);
  }
  const sessions = roots.flatMap((root): SurveyedSession[] => {
    const self = selves.get(root.path);
    const { files, others } = owned.get(root.path) ?? { files: [], others: [] };
    // Nothing has been written yet: there is no session to speak of.
    if (!self || files.length === 0) return [];
    return [
      {
        root,
        directoryIdentity: directoryIdentity(self.stat),
        startedNoLaterThanNs: earliestNs([self, ...files]),
        files,
        others,
        problems: listing.problems.filter((problem) => owningRoot(problem.path, paths) === root.path),
      },
    ];
  });
  const empty = roots.map(({ path }) => path).filter((path) => !owned.get(path)?.files.length);
  return { top, sessions, loose, empty, problems: listing.problems, again: false };
}

/** The earliest time that the file system remembers of these. */
function earliestNs(entries: readonly Entry[]): bigint {
  let earliest: bigint | undefined;
  for (const { kind, stat } of entries) {
    const born = stat.birthtimeNs > 0n ? stat.birthtimeNs : undefined;
    // A directory's mtime moves with every entry; only its birth tells when the session began.
    for (const time of kind === 'directory' ? [born] : [born, stat.mtimeNs]) {
      if (time !== undefined && (earliest === undefined || time < earliest)) earliest = time;
    }
  }
  return earliest ?? entries[0]?.stat.mtimeNs ?? 0n;
}

/** The name straight in the folder that a path lies in or is. */
export function topName(path: WatchedPath): WatchedPath {
  return depthOf(path) <= 1 ? path : path.slice(0, path.indexOf('/'));
}
