import { baseName, type WatchedPath } from '../../domain/watched-path.ts';
import type { DirectoryView, FileInfo, Recognition, Selection } from '../reader.ts';
import { begunAtMs, eventFilesAmong, isEventFileName, isImpostorPath, isTrackerPath } from './event-files.ts';
import { argumentsTag } from './event-follower.ts';
import { parseLenientJson } from './lenient-json.ts';
import { looksLikeTrainerState, parseTrainerState, stateBytesMax } from './trainer-state.ts';

/** Which files make a directory a Trainer's output directory, and which of them are read. */

export const stateName = 'trainer_state.json';
const resultNames = ['train_results.json', 'eval_results.json', 'predict_results.json', 'test_results.json'];
/** Read, changed and written: holds what earlier runs in the directory left there. */
export const mixedResults = 'all_results.json';
export const modelNames = ['adapter_config.json', 'config.json'];
export const checkpointName = /^checkpoint-(\d{1,15})$/;
export const checkpointDirectory = /^(?:tmp-)?checkpoint-\d{1,15}$|^last-checkpoint$/;
const statesMax = 3;
const eventHeadsMax = 8;
const eventHeadBytes = 4096;
const smallJsonBytesMax = 256 * 1024;

/**
 * By a state, by the event file of a training, which is there long before the first checkpoint, or by results: a state
 * that is being written must not hide the others.
 */
export function recogniseTrainer(directory: DirectoryView): Recognition | undefined {
  if (checkpointDirectory.test(directory.name)) return undefined;
  const states = statePaths(directory);
  const paths = [
    ...states.slice(0, 2),
    ...trainingPaths(directory).slice(0, 1),
    ...resultPaths(directory).slice(0, 1),
    ...states.slice(2),
  ];
  const [reason] = paths;
  if (reason === undefined) return undefined;
  return { confidence: 'likely', reason, proof: { paths: paths.slice(0, 4), bytesMax: 16 * 1024, believe } };
}

function believe(bytes: Buffer, path: string): boolean {
  const name = baseName(path);
  if (name === stateName) return looksLikeTrainerState(bytes);
  return isEventFileName(name) ? isTrainerEventFile(bytes) : looksLikeResults(bytes);
}

export function selectTrainerFiles(files: readonly FileInfo[]): Selection[] {
  return [...stateFiles(files), ...eventHeads(files), ...smallFiles(files)];
}

/** The root's own, then the last step's. */
function statePaths({ names, below }: DirectoryView): WatchedPath[] {
  const directories = [...names]
    .filter((name) => checkpointDirectory.test(name))
    .sort(byStep)
    .reverse();
  const paths = directories
    .filter((name) => below(name).has(stateName))
    .map((name) => `${name}/${stateName}`);
  return names.has(stateName) ? [stateName, ...paths] : paths;
}

function trainingPaths({ names, below }: DirectoryView): WatchedPath[] {
  if (!names.has('runs')) return [];
  const runs = [...below('runs')].sort().map((name) => `runs/${name}`);
  return runs.reverse().flatMap((run) => eventFilesAmong(below(run), run));
}

function resultPaths({ names }: DirectoryView): WatchedPath[] {
  return [...resultNames, mixedResults].filter((name) => names.has(name));
}

function isTrainerEventFile(bytes: Buffer): boolean {
  return bytes.includes(argumentsTag);
}

function looksLikeResults(bytes: Buffer): boolean {
  return /"(?:train|eval|predict|test)_(?:runtime|samples_per_second)"\s{0,8}:/.test(
    bytes.toString('latin1'),
  );
}

/** The ones that were written last, and the root's own. */
function stateFiles(files: readonly FileInfo[]): Selection[] {
  const found = files.filter(({ path }) => {
    const [directory = '', name, ...more] = path.split('/');
    return more.length === 0 && name === stateName && checkpointDirectory.test(directory);
  });
  const newest = found.toSorted(
    (a, b) => b.modifiedAtMs - a.modifiedAtMs || byStep(b.path, a.path) || (a.path < b.path ? -1 : 1),
  );
  const root = files.filter(({ path }) => path === stateName);
  return [...root, ...newest.slice(0, statesMax)].map(({ path }) => ({
    manner: 'whole' as const,
    path,
    keep: 'companion' as const,
    bytesMax: stateBytesMax,
    parse: parseTrainerState,
  }));
}

/** Enough of the newest event files to tell a training from an evaluation. */
function eventHeads(files: readonly FileInfo[]): Selection[] {
  const found = files.filter(
    ({ path }) => isEventFileName(baseName(path)) && !isImpostorPath(path) && !isTrackerPath(path),
  );
  const newest = found.toSorted((a, b) => (begunAtMs(b.path) ?? 0) - (begunAtMs(a.path) ?? 0));
  return newest.slice(0, eventHeadsMax).map(({ path }) => ({
    manner: 'whole' as const,
    path,
    keep: 'companion' as const,
    bytesMax: eventHeadBytes,
    parse: eventFileKind,
  }));
}

function eventFileKind(bytes: Buffer): 'training' | 'other' | undefined {
  if (isTrainerEventFile(bytes)) return 'training';
  // The first record says only which version the file has.
  return bytes.length > 256 ? 'other' : undefined;
}

function smallFiles(files: readonly FileInfo[]): Selection[] {
  const names = [...resultNames, mixedResults, ...modelNames];
  return files
    .filter(({ path }) => names.includes(path))
    .map(({ path }) => ({
      manner: 'whole' as const,
      path,
      keep: 'companion' as const,
      bytesMax: smallJsonBytesMax,
      parse: (bytes: Buffer) => parseLenientJson(bytes, smallJsonBytesMax).value,
    }));
}

export function isResults(path: WatchedPath): boolean {
  return path === mixedResults || resultNames.includes(path);
}

function byStep(a: string, b: string): number {
  return stepOf(a) - stepOf(b);
}

function stepOf(path: string): number {
  return Number(/checkpoint-(\d{1,15})/.exec(path)?.[1] ?? -1);
}
