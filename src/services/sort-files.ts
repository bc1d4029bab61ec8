import type { CompanionChoice } from '../domain/companion-filter.ts';
import { fileTime } from '../domain/file-time.ts';
import type { CheckpointEntry, ExcludedSection, MissingEntry } from '../domain/session-log.ts';
import {
  baseName,
  displayPath,
  pathToBytes,
  quotePath,
  relativeTo,
  type WatchedPath,
} from '../domain/watched-path.ts';
import type { Entry } from '../ports/file-source.ts';
import type { SurveyedSession } from './folder-survey.ts';
import type { SessionReading } from './session-reading.ts';

/** What becomes of each file of a session: shipped, kept in the log, left out, or named as missing. */
export interface SortedFiles {
  /** To be in the bucket; relative paths. */
  readonly companions: readonly SessionFile[];
  /** Known by fingerprint alone. */
  readonly others: readonly SessionFile[];
  /** Still being written; looked at again later. */
  readonly changing: readonly SessionFile[];
  readonly checkpoints: readonly CheckpointEntry[];
  readonly excluded: ExcludedSection;
  readonly missing: readonly MissingEntry[];
  readonly warnings: readonly string[];
}

export interface SessionFile {
  /** Relative to the session's root. */
  readonly path: WatchedPath;
  readonly entry: Entry;
}

export interface SortRules {
  readonly choose: (path: WatchedPath, sizeBytes: number) => CompanionChoice;
  readonly isSettled: (file: SessionFile) => boolean;
}

/** How many links a log names one by one. */
const linksNamedMax = 20;

export function sortFiles(session: SurveyedSession, reading: SessionReading, rules: SortRules): SortedFiles {
  const companions: SessionFile[] = [];
  const others: SessionFile[] = [];
  const changing: SessionFile[] = [];
  const checkpoints: CheckpointEntry[] = [];
  const missing: MissingEntry[] = [];
  const excluded = { files: 0, bytes: 0 };
  for (const entry of session.files) {
    const path = pathInSession(session.root, entry.path);
    const file = { path, entry };
    const bytes = entry.stat.sizeBytes;
    if (reading.native.has(path)) {
      others.push(file);
      continue;
    }
    const choice = rules.choose(path, bytes);
    if (choice === 'companion') {
      if (rules.isSettled(file)) {
        companions.push(file);
      } else {
        changing.push(file);
        missing.push({ path: displayPath(path), bytes, reason: 'changing' });
      }
      continue;
    }
    others.push(file);
    excluded.files += 1;
    excluded.bytes += bytes;
    if (choice === 'tooLarge') missing.push({ path: displayPath(path), bytes, reason: 'tooLarge' });
    if (choice === 'checkpoint') {
      const savedAt = fileTime(entry.stat.mtimeNs);
      checkpoints.push({ path: displayPath(path), bytes, ...(savedAt !== undefined && { savedAt }) });
    }
  }
  for (const problem of session.problems) {
    const path = displayPath(pathInSession(session.root, problem.path));
    const reason = problem.code === 'ENOENT' ? 'vanished' : 'unreadable';
    missing.push({ path: path === '' ? '.' : path, reason });
  }
  const warnings = [...specialWarnings(session), ...encodedWarnings(companions)];
  return { companions, others, changing, checkpoints, excluded, missing, warnings };
}

export function pathInSession(
  root: { path: WatchedPath; kind: 'directory' | 'file' },
  path: WatchedPath,
): WatchedPath {
  if (root.kind === 'file') return baseName(root.path);
  return path === root.path ? '' : (relativeTo(root.path, path) ?? path);
}

export function pathInFolder(root: WatchedPath, kind: 'directory' | 'file', path: WatchedPath): WatchedPath {
  if (kind === 'file') return root;
  return root === '' ? path : `${root}/${path}`;
}

function specialWarnings(session: SurveyedSession): string[] {
  const links = session.others.filter((entry) => entry.kind === 'link');
  const special = session.others.length - links.length;
  const warnings: string[] = [];
  if (links.length > 0) {
    const names = links
      .slice(0, linksNamedMax)
      .map((entry) => quotePath(pathInSession(session.root, entry.path)));
    const more = links.length > linksNamedMax ? `, and ${links.length - linksNamedMax} more` : '';
    warnings.push(`symbolic links are not followed: ${names.join(', ')}${more}`);
  }
  if (special > 0) warnings.push(`${special} FIFOs, sockets or devices are left alone`);
  for (const problem of session.problems) {
    const path = quotePath(pathInSession(session.root, problem.path) || '.');
    warnings.push(`directory ${path} could not be read, ${problem.code}: ${problem.remedy}`);
  }
  return warnings;
}

/** A name that is not UTF-8 cannot stand in JSON; its bytes are kept beside it. */
function encodedWarnings(companions: readonly SessionFile[]): string[] {
  return companions.flatMap(({ path }) => {
    if (path.isWellFormed()) return [];
    return [`${quotePath(path)} is not UTF-8; its bytes, base64: ${pathToBytes(path).toString('base64')}`];
  });
}
