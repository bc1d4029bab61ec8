import type { CheckpointEntry } from '../../domain/session-log.ts';
import { displayPath, type WatchedPath } from '../../domain/watched-path.ts';
import type { FileInfo } from '../reader.ts';

export const checkpointsMax = 1000;

export interface Checkpoint {
  readonly path: WatchedPath;
  readonly step: number;
  readonly sizeBytes: number;
  /** The file that makes it one, and when that was written. */
  readonly mark: WatchedPath;
  readonly savedAtMs: number;
}

/**
 * Directories straight in the session that `pattern` (with the step as its group) names, by step; of each the sizes of
 * its files together. `isMark` tells the file that is written last: without it the checkpoint is not there yet.
 */
export function checkpointDirectories(
  files: readonly FileInfo[],
  pattern: RegExp,
  isMark: (name: string) => boolean,
): Checkpoint[] {
  const found = new Map<string, Found>();
  for (const { path, sizeBytes, modifiedAtMs } of files) {
    const slash = path.indexOf('/');
    const directory = slash < 0 ? undefined : path.slice(0, slash);
    const step = directory === undefined ? undefined : pattern.exec(directory)?.[1];
    if (directory === undefined || step === undefined) continue;
    const known: Found = found.get(directory) ?? { step: Number(step), sizeBytes: 0 };
    known.sizeBytes += sizeBytes;
    const isLater = modifiedAtMs > (known.mark?.modifiedAtMs ?? Number.NEGATIVE_INFINITY);
    if (isLater && isMark(path.slice(slash + 1))) known.mark = { path, modifiedAtMs };
    found.set(directory, known);
  }
  return [...found]
    .flatMap(([path, { step, sizeBytes, mark }]) =>
      mark === undefined ? [] : [{ path, step, sizeBytes, mark: mark.path, savedAtMs: mark.modifiedAtMs }],
    )
    .sort((a, b) => a.step - b.step || (a.path < b.path ? -1 : 1));
}

interface Found {
  readonly step: number;
  sizeBytes: number;
  mark?: { readonly path: WatchedPath; readonly modifiedAtMs: number };
}

/** The newest, as the session log lists them. */
export function checkpointEntries(checkpoints: readonly Checkpoint[]): CheckpointEntry[] | undefined {
  if (checkpoints.length === 0) return undefined;
  return checkpoints.slice(-checkpointsMax).map(({ path, sizeBytes, savedAtMs }) => {
    const savedAt = new Date(savedAtMs);
    return {
      path: displayPath(path),
      bytes: sizeBytes,
      ...(!Number.isNaN(savedAt.getTime()) && { savedAt: savedAt.toISOString() }),
    };
  });
}
