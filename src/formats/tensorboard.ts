import { baseName, type WatchedPath } from '../domain/watched-path.ts';
import { knownConfig, rawConfig } from './parts/config-fields.ts';
import { type EventRun, endingOfEvents } from './parts/event-ending.ts';
import {
  begunAtMs,
  directoryOf,
  eventFilesAmong,
  isEventFileName,
  isImpostorPath,
  isRunOfItsOwn,
  isTrackerPath,
  runProofBytes,
} from './parts/event-files.ts';
import { EventFollower } from './parts/event-follower.ts';
import { FactCollector } from './parts/fact-collector.ts';
import { joinHistories, renameColumns } from './parts/join-histories.ts';
import { readTime } from './parts/read-time.ts';
import { consoleSelections, trainingLogs } from './parts/training-console.ts';
import { isLog } from './plain-log.ts';
import type { DirectoryView, FormatReader, ReadFile, Recognition } from './reader.ts';

/** Event files of TensorBoard, whoever wrote them. They have no mark for an end. */
export const eventFilesMax = 32;
/** Keras puts its profiles there. */
const eventFileBeside = /^(?:plugins|keras_embedding\..{1,64}|.{1,512}\.profile-empty)$/;
const roles = ['train', 'training', 'validation', 'val', 'valid', 'test', 'eval'];
/** Directories that are named for what lies in them: the run is the directory around them. */
const eventDirectories = [
  'logs',
  'log',
  'tb',
  'tb_log',
  'tb_logs',
  'tensorboard',
  'tensorboard_log',
  'tensorboard_logs',
  'events',
];

export const tensorboardReader: FormatReader = {
  name: 'tensorboard',

  recognise(directory) {
    const own = eventFilesAmong(directory.names, '');
    if (own.length > 0) return recognition(own, 'TensorBoard event files');
    const inRoles = filesIn(directory, rolesOf(directory));
    if (inRoles.length > 0) return recognition(inRoles, `event files in ${quoted(inRoles)}`);
    const inNamed = filesIn(directory, eventDirectories);
    if (inNamed.length > 0) return recognition(inNamed, `event files in ${quoted(inNamed)}`);
    return undefined;
  },

  looksInto: /^(?:train|validation)$/,

  select(files) {
    const found = files.filter(
      ({ path }) => isEventFileName(baseName(path)) && !isImpostorPath(path) && !isTrackerPath(path),
    );
    // The first one knows when it began, the last ones how it goes.
    const ordered = found.toSorted((a, b) => (begunAtMs(a.path) ?? 0) - (begunAtMs(b.path) ?? 0));
    const chosen =
      ordered.length <= eventFilesMax
        ? ordered
        : [...ordered.slice(0, 1), ...ordered.slice(1 - eventFilesMax)];
    const selected = chosen.map(({ path }) => ({
      manner: 'append' as const,
      path,
      keep: 'companion' as const,
      follow: () => new EventFollower(),
    }));
    return selected.length > 0 ? [...selected, ...consoleSelections(files, isLog)] : [];
  },

  assess(read, session) {
    const facts = new FactCollector();
    const runs = eventRuns(read, facts);
    const first = runs[0];
    if (!first) return facts.assessment();
    const { firstAtSeconds } = first.events;
    facts.session('startedAt', firstAtSeconds === undefined ? undefined : timeOf(firstAtSeconds), first.path);
    for (const run of runs.toReversed()) takeConfig(run, facts);
    takeResults(runs, facts);
    takeHistory(runs, facts);
    const { ending, goesOn } = endingOfEvents(runs, session.files, trainingLogs(read));
    return facts.assessment(ending, goesOn);
  },
};

/** Oldest first. */
function eventRuns(read: readonly ReadFile[], facts: FactCollector): EventRun[] {
  const runs = read.flatMap(({ path, segments }) => {
    const events = segments?.at(-1);
    return events instanceof EventFollower ? [{ path, events }] : [];
  });
  for (const { path, events } of runs) for (const warning of events.warnings()) facts.warn(path, warning);
  return runs
    .filter(({ events }) => events.recordCount > 0)
    .sort((a, b) => (a.events.firstAtSeconds ?? 0) - (b.events.firstAtSeconds ?? 0));
}

function takeConfig({ path, events }: EventRun, facts: FactCollector): void {
  const { trainerArguments, modelConfig, hyperparameters } = events;
  if (trainerArguments?.['output_dir'] !== undefined) facts.session('framework', 'transformers', path);
  if (events.hasKerasModel) facts.session('framework', 'keras', path);
  const document = trainerArguments ?? hyperparameters;
  const model = modelConfig?.['_name_or_path'];
  if (typeof model === 'string' && model !== '') facts.config({ model }, path);
  if (!document) return;
  const { raw, warning } = rawConfig(document);
  facts.config({ ...knownConfig(document), ...(raw && { raw }) }, path);
  if (warning !== undefined) facts.warn(path, warning);
}

function takeResults(runs: readonly EventRun[], facts: FactCollector): void {
  const last = runs.at(-1);
  const durationSeconds = coveredSeconds(runs);
  if (last && durationSeconds > 0) facts.results({ durationSeconds }, last.path);
  const trainer = runs.findLast(({ events }) => events.trainerArguments !== undefined);
  const stepsCompleted = trainer?.events.lastTrainingStep;
  const epochsCompleted = trainer?.events.lastValues.get('train/epoch');
  if (trainer && stepsCompleted !== undefined) facts.results({ stepsCompleted }, trainer.path);
  if (trainer && typeof epochsCompleted === 'number' && epochsCompleted >= 0) {
    facts.results({ epochsCompleted }, trainer.path);
  }
  const rename = columnNames(runs);
  for (const run of runs.toReversed()) {
    const values = [...run.events.lastValues].map(([tag, value]) => [rename(run, tag), value]);
    facts.metrics(Object.fromEntries(values), run.path);
  }
}

function takeHistory(runs: readonly EventRun[], facts: FactCollector): void {
  const rename = columnNames(runs);
  const histories = runs.flatMap((run) => {
    const { history } = run.events;
    return history ? [renameColumns(history, (column) => rename(run, column))] : [];
  });
  const from = runs.findLast(({ events }) => events.history !== undefined);
  if (from) facts.history(joinHistories(histories, areSideBySide(runs)), from.path);
}

/** Times without a file open to write into are pauses between processes; files side by side count once. */
function coveredSeconds(runs: readonly EventRun[]): number {
  let until = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (const { events } of runs) {
    const { firstAtSeconds: from, lastAtSeconds: to } = events;
    if (from === undefined || to === undefined) continue;
    sum += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return Math.round(sum * 1000) / 1000;
}

/** Do several directories hold values of the same time? Then each tells of something else: training and validation. */
function areSideBySide(runs: readonly EventRun[]): boolean {
  const withValues = runs.filter(({ events }) => events.lastValues.size > 0);
  return withValues.some((run, at) => {
    const before = withValues[at - 1];
    if (!before || directoryOf(before.path) === directoryOf(run.path)) return false;
    return (run.events.firstAtSeconds ?? 0) < (before.events.lastAtSeconds ?? 0);
  });
}

/** Side by side, a tag that several directories use is told apart by the directory's name. */
function columnNames(runs: readonly EventRun[]): (run: EventRun, tag: string) => string {
  if (!areSideBySide(runs)) return (_, tag) => tag;
  const directories = new Map<string, Set<WatchedPath>>();
  for (const { path, events } of runs) {
    for (const tag of events.lastValues.keys()) {
      const known = directories.get(tag) ?? new Set();
      directories.set(tag, known.add(directoryOf(path)));
    }
  }
  return ({ path }, tag) => {
    const directory = baseName(directoryOf(path));
    return (directories.get(tag)?.size ?? 0) > 1 && directory !== '' ? `${directory}/${tag}` : tag;
  };
}

/**
 * Directories of one run that are named for its parts, and hold nothing but event files: others call whole runs `train`
 * and `test`. In the watched folder a training and its validation must both be there.
 */
function rolesOf({ name, names, below }: DirectoryView): string[] {
  const isPart = (role: string) => {
    const inside = [...below(role)];
    return inside.length > 0 && inside.every((one) => isEventFileName(one) || eventFileBeside.test(one));
  };
  const found = roles.filter((role) => names.has(role) && isPart(role));
  const hasTraining = found.some((role) => role.startsWith('train'));
  return hasTraining && (name !== '' || found.length > 1) ? found : [];
}

function filesIn(directory: DirectoryView, names: readonly string[]): WatchedPath[] {
  const inside = names.filter((name) => directory.names.has(name));
  return inside.flatMap((name) => eventFilesAmong(directory.below(name), name));
}

function recognition(paths: readonly WatchedPath[], reason: string): Recognition {
  const proof = { paths: paths.slice(0, 8), bytesMax: runProofBytes, believe: isRunOfItsOwn };
  return { confidence: 'likely', reason, proof };
}

function quoted(paths: readonly WatchedPath[]): string {
  return `${directoryOf(paths[0] ?? '')}/`;
}

function timeOf(seconds: number): string | undefined {
  return readTime(seconds)?.iso;
}
