import type { CheckpointEntry } from '../domain/session-log.ts';
import { displayPath, type WatchedPath } from '../domain/watched-path.ts';
import type { FileInfo } from './reader.ts';

export const checkpointsMax = 1000;

export interface Checkpoint {
  readonly path: WatchedPath;
  readonly step: number;
  readonly sizeBytes: number;
  /** When the file that makes it one was written. */
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
  const found = new Map<string, { step: number; sizeBytes: number; savedAtMs: number | undefined }>();
  for (const { path, sizeBytes, modifiedAtMs } of files) {
    const slash = path.indexOf('/');
    const directory = slash < 0 ? undefined : path.slice(0, slash);
    const step = directory === undefined ? undefined : pattern.exec(directory)?.[1];
    if (directory === undefined || step === undefined) continue;
    const known = found.get(directory) ?? { step: Number(step), sizeBytes: 0, savedAtMs: undefined };
    known.sizeBytes += sizeBytes;
    if (isMark(path.slice(slash + 1))) known.savedAtMs = Math.max(known.savedAtMs ?? 0, modifiedAtMs);
    found.set(directory, known);
  }
  return [...found]
    .flatMap(([path, { step, sizeBytes, savedAtMs }]) =>
      savedAtMs === undefined ? [] : [{ path, step, sizeBytes, savedAtMs }],
    )
    .sort((a, b) => a.step - b.step || (a.path < b.path ? -1 : 1));
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
