import { baseName, parentPath, type WatchedPath } from '../../domain/watched-path.ts';
import { beginsWithRecord } from './event-records.ts';

/** Names of event files (tensorboard/summary/writer/event_file_writer.py): `events.out.tfevents.<time>.<host>.<pid>.<n>`. */
const written = /^events\.out\.tfevents\.(\d{10})\.[^/]{1,512}$/;

export function isEventFileName(name: string): boolean {
  return written.test(name) && !name.endsWith('.profile-empty');
}

/** When the file was begun: Unix time in milliseconds, by its name. */
export function begunAtMs(path: WatchedPath): number | undefined {
  const seconds = written.exec(baseName(path))?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

/** What macOS leaves beside or in the place of files. */
export function isImpostorPath(path: WatchedPath): boolean {
  return path.split('/').some((name) => name.startsWith('._') || name === '__MACOSX');
}

/** Trackers keep copies of what others wrote. */
export function isTrackerPath(path: WatchedPath): boolean {
  return /^(?:wandb|mlruns)\//.test(path) || /\/(?:wandb|mlruns)\//.test(path);
}

export function eventFilesAmong(names: Iterable<string>, directory: WatchedPath): WatchedPath[] {
  const found = [...names].filter((name) => isEventFileName(name)).sort();
  return found.map((name) => (directory === '' ? name : `${directory}/${name}`));
}

/** By its first bytes: the record that every writer begins with. */
export function isEventFile(bytes: Buffer): boolean {
  return beginsWithRecord(bytes) && bytes.subarray(0, 128).includes('brain.Event:');
}

/**
 * The first record of an event file is there at once, what comes after it minutes later: until then nobody knows whose
 * run it is, the Trainer's of the directory around or one of its own. A file with hyperparameters alone lies in one more
 * directory of a run (torch/utils/tensorboard/writer.py: add_hparams).
 */
export function isRunOfItsOwn(bytes: Buffer): boolean | 'later' {
  if (!isEventFile(bytes)) return false;
  for (let at = recordEnd(bytes, 0); at + 12 < bytes.length; at = recordEnd(bytes, at)) {
    const start = bytes.subarray(at + 12, Math.min(recordEnd(bytes, at), at + 512));
    if (!start.includes('_hparams_/')) return true;
  }
  return 'later';
}

export const runProofBytes = 64 * 1024;

/** Of the record that begins here, with its length, both sums and its data. */
function recordEnd(bytes: Buffer, at: number): number {
  return at + 16 + Number(bytes.readBigUInt64LE(at));
}

export function directoryOf(path: WatchedPath): WatchedPath {
  return parentPath(path);
}
