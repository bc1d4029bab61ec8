import type { WatchedPath } from '../../domain/watched-path.ts';
import type { FileInfo } from '../reader.ts';
import { begunAtMs, isImpostorPath, isTrackerPath } from './event-files.ts';

/**
 * An output directory of a Trainer is often used again: resumed in, or begun anew. What told the end of a training says
 * nothing of the one that came after it.
 */
export interface Evidence {
  readonly path: WatchedPath;
  /** When it was written. */
  readonly atMs: number;
  /** The step at which that training ended. */
  readonly step?: number;
}

/** `training`: the file of a training that began; `other`: of an evaluation. Not there: not known yet. */
export type EventFileKinds = ReadonlyMap<WatchedPath, 'training' | 'other'>;

/** What was read of files that are traces of trainings. */
export interface Traces {
  readonly kinds: EventFileKinds;
  /** Logs of trainings that are not over, as far as they tell. */
  readonly logs: readonly FileInfo[];
}

export const noTraces: Traces = { kinds: new Map(), logs: [] };

/** Files of one moment come to lie seconds apart: other ranks, other disks. */
const momentMs = 10_000;
/** A last line of a log may wait for a model to be saved. */
const closingMs = 60_000;

const checkpointPath = /^(?:tmp-)?checkpoint-(\d{1,15})\/|^last-checkpoint\//;

/** Is there a trace of a training that was begun, or went on, after the evidence was written? */
export function isTrainingBegunAfter(
  evidence: Evidence,
  files: readonly FileInfo[],
  { kinds, logs }: Traces,
): boolean {
  return (
    files.some((file) => isTraceOf(evidence, file, kinds)) ||
    logs.some(({ modifiedAtMs }) => modifiedAtMs > evidence.atMs + momentMs) ||
    isTrackedAnew(evidence, files)
  );
}

function isTraceOf(evidence: Evidence, file: FileInfo, kinds: EventFileKinds): boolean {
  const { path } = file;
  if (path === evidence.path) return false;
  const checkpoint = checkpointPath.exec(path);
  if (checkpoint) return isLaterCheckpoint(evidence, file, checkpoint);
  const begunAt = begunAtMs(path);
  if (begunAt !== undefined) {
    if (isTrackerPath(path) || isImpostorPath(path)) return false;
    const kind = kinds.get(path);
    // Evaluating after the training opens a file, too; that one holds no arguments.
    return (
      (begunAt > evidence.atMs && kind !== 'other') || (kind === 'training' && isLongAfter(evidence, file))
    );
  }
  return (path === 'trainer_log.jsonl' || path === 'debug.log') && isLongAfter(evidence, file);
}

function isLongAfter(evidence: Evidence, { modifiedAtMs }: FileInfo): boolean {
  return modifiedAtMs > evidence.atMs + closingMs;
}

function isLaterCheckpoint(evidence: Evidence, { modifiedAtMs }: FileInfo, found: RegExpExecArray): boolean {
  // Its other files are written around it, by other ranks even after it.
  if (evidence.path.startsWith(found[0])) return false;
  if (modifiedAtMs > evidence.atMs + momentMs) return true;
  const step = Number(found[1] ?? Number.NaN);
  // A directory that was copied has lost its times; a checkpoint beyond the end is still one beyond the end.
  const isBeyond = evidence.step !== undefined && step > evidence.step;
  return isBeyond && modifiedAtMs >= evidence.atMs - momentMs;
}

/** A run of wandb of which every file is younger was begun later: some of its files are only written at the start. */
export function isTrackedAnew(evidence: Pick<Evidence, 'atMs'>, files: readonly FileInfo[]): boolean {
  const oldest = new Map<string, number>();
  for (const { path, modifiedAtMs } of files) {
    const run = /^wandb\/(?:offline-)?run-[^/]{1,200}\//.exec(path)?.[0];
    if (run !== undefined)
      oldest.set(run, Math.min(oldest.get(run) ?? Number.POSITIVE_INFINITY, modifiedAtMs));
  }
  return [...oldest.values()].some((ms) => ms > evidence.atMs + momentMs);
}
