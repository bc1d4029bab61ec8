import { baseName, parentPath, type WatchedPath } from '../domain/watched-path.ts';
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

export function directoryOf(path: WatchedPath): WatchedPath {
  return parentPath(path);
}
