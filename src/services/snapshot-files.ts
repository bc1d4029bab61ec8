import type { SessionDraft } from '../domain/session-draft.ts';
import { displayPath, type WatchedPath } from '../domain/watched-path.ts';
import { fingerprintOf } from '../ports/file-source.ts';
import type { FileRecord, Journal, NewFile } from '../ports/journal.ts';
import type { SessionFile, SortedFiles } from './sort-files.ts';

/** Buckets free the parts of uploads that stay open for long: before that, what there is becomes an object. */
const uploadAgeMaxMs = 5 * 24 * 3_600_000;

type KnownFiles = ReadonlyMap<WatchedPath, FileRecord>;

export interface SnapshotRules {
  readonly growsFromBytes: number;
  /** Files whose uploads have been open for too long. */
  readonly overdue: ReadonlySet<WatchedPath>;
  readonly keyOf: (file: { readonly path: WatchedPath; readonly sizeBytes: number }) => string;
}

/**
 * What goes into the bucket with the log of a session that goes on. Small files that are new or changed, as they are. A
 * large one grows there by itself, unless it is on its way whole already or its upload is to end; what an earlier log
 * listed of it is known not to be the whole file any more.
 */
export function snapshotFiles(
  { companions }: SortedFiles,
  known: KnownFiles,
  { growsFromBytes, overdue, keyOf }: SnapshotRules,
): NewFile[] {
  return companions.flatMap((file): NewFile[] => {
    const row = known.get(file.path);
    if (isKnownAsItIs(file, row)) return [];
    const { sizeBytes } = file.entry.stat;
    const isSent = sizeBytes < growsFromBytes || overdue.has(file.path) || row?.state === 'pending';
    const entry = { path: file.path, sizeBytes, claim: undefined };
    if (isSent) {
      const fingerprint = fingerprintOf(file.entry.stat);
      return [{ ...entry, role: 'companion', key: keyOf(entry), fingerprint }];
    }
    return row ? [{ ...entry, role: 'other', key: '', fingerprint: '' }] : [];
  });
}

/** Companions of a session that goes on which the journal does not speak for: they are not on their way. */
export function unsentFiles(
  { companions }: SortedFiles,
  known: KnownFiles,
  queued: readonly NewFile[],
): SessionDraft['missing'] {
  const onTheirWay = new Set(queued.filter(({ role }) => role === 'companion').map(({ path }) => path));
  return companions
    .filter((file) => !onTheirWay.has(file.path) && !isKnownAsItIs(file, known.get(file.path)))
    .map(({ path, entry }) => ({
      path: displayPath(path),
      bytes: entry.stat.sizeBytes,
      reason: 'pending' as const,
    }));
}

export function overdueUploads(journal: Journal, sid: number, nowMs: number): ReadonlySet<WatchedPath> {
  const overdue = journal.openUploads(sid).filter(({ beganAtMs }) => beganAtMs + uploadAgeMaxMs <= nowMs);
  return new Set(overdue.map(({ path }) => path));
}

function isKnownAsItIs({ entry }: SessionFile, row: FileRecord | undefined): boolean {
  return row?.role === 'companion' && row.fingerprint === fingerprintOf(entry.stat) && row.state !== 'gone';
}
