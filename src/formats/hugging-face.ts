import { isJsonObject, type JsonObject } from '../domain/json.ts';
import { baseName, type WatchedPath } from '../domain/watched-path.ts';
import { checkpointDirectories, checkpointEntries } from './parts/checkpoints.ts';
import { FactCollector } from './parts/fact-collector.ts';
import {
  checkpointName,
  isResults,
  mixedResults,
  modelNames,
  recogniseTrainer,
  selectTrainerFiles,
  stateName,
} from './parts/hugging-face-files.ts';
import type { Traces } from './parts/trainer-activity.ts';
import { endingOf, isResultsCurrent, type StateFile } from './parts/trainer-ending.ts';
import type { TrainerState } from './parts/trainer-state.ts';
import { consoleSelections, trainingLogs } from './parts/training-console.ts';
import { isLog } from './plain-log.ts';
import { type Assessment, type FormatReader, nothing, type ReadFile, type SessionView } from './reader.ts';

/** Output directories of the Trainer of Hugging Face transformers, and of what is built on it. */

export const huggingFaceReader: FormatReader = {
  name: 'hugging-face',

  recognise: recogniseTrainer,

  looksInto: /^(?:checkpoint-\d{1,15}|last-checkpoint|runs)$/,

  select(files) {
    const selected = selectTrainerFiles(files);
    const isEnded = selected.some(({ path }) => baseName(path) === stateName || isResults(path));
    return isEnded ? [...selected, ...consoleSelections(files, isLog)] : selected;
  },

  assess(read, session) {
    const states = statesOf(read);
    const results = read.filter(({ path, parsed }) => isObject(parsed) && isResults(path));
    const traces = { kinds: kindsOf(read), logs: trainingLogs(read) };
    if (states.length === 0 && results.length === 0 && !isTrainerDirectory(session, traces.kinds))
      return nothing;
    return assessTrainer(read, session, states, traces);
  },
};

type Kinds = ReadonlyMap<WatchedPath, 'training' | 'other'>;

function kindsOf(read: readonly ReadFile[]): Kinds {
  const kinds = new Map<WatchedPath, 'training' | 'other'>();
  for (const { path, parsed } of read)
    if (parsed === 'training' || parsed === 'other') kinds.set(path, parsed);
  return kinds;
}

function isTrainerDirectory({ files }: SessionView, kinds: Kinds): boolean {
  return files.some(({ path }) => path.startsWith('runs/') && kinds.get(path) === 'training');
}

/** The one that tells most of how things are now comes first. */
function statesOf(read: readonly ReadFile[]): StateFile[] {
  const found = read.flatMap(({ path, modifiedAtMs, parsed }) =>
    baseName(path) === stateName && isObject(parsed)
      ? [{ path, modifiedAtMs, state: parsed as TrainerState }]
      : [],
  );
  return found.sort((a, b) => {
    const isOneMoment = Math.abs(a.modifiedAtMs - b.modifiedAtMs) < 10_000;
    const byProgress = b.state.globalStep - a.state.globalStep;
    return (isOneMoment ? byProgress : 0) || b.modifiedAtMs - a.modifiedAtMs || (a.path < b.path ? 1 : -1);
  });
}

function assessTrainer(
  read: readonly ReadFile[],
  session: SessionView,
  states: readonly StateFile[],
  traces: Traces,
): Assessment {
  const facts = new FactCollector();
  const [current] = states;
  const files = read.filter(({ path, parsed }) => isResults(path) && isJsonObjectOf(parsed));
  const results = files.filter((file) => isResultsCurrent(file, states, session.files, traces));
  for (const { path } of files.filter((file) => !results.includes(file))) {
    facts.warn(path, 'not used: a training was begun, or went on, after it was written');
  }
  takeFramework(current, session, facts);
  if (current) takeState(current, facts);
  takeResultFiles(results, current, facts);
  takeModel(read, facts);
  const checkpoints = checkpointDirectories(session.files, checkpointName, (name) => name === stateName);
  const checkpointsSaved = checkpointEntries(checkpoints);
  if (checkpointsSaved) facts.results({ checkpointsSaved }, checkpoints.at(-1)?.mark ?? '');
  const { ending, goesOn } = endingOf(states, files, session.files, traces);
  return facts.assessment(ending, goesOn);
}

function takeFramework(current: StateFile | undefined, { files }: SessionView, facts: FactCollector): void {
  const completions = files.find(({ path }) => /^completions\/[^/]{1,255}\.parquet$/.test(path));
  if (completions) facts.session('framework', 'trl', completions.path);
  if (current) facts.session('framework', current.state.isTrl ? 'trl' : 'transformers', current.path);
  const trace = files.find(({ path }) => isResults(path) || path.startsWith('runs/'));
  if (trace) facts.session('framework', 'transformers', trace.path);
}

function takeState({ path, state }: StateFile, facts: FactCollector): void {
  const { globalStep, epoch, maxSteps, epochs, batchSize, settings, history, runtimeSeconds } = state;
  for (const warning of state.warnings) facts.warn(path, warning);
  facts.config(
    {
      ...(epochs !== undefined && { epochs }),
      ...(batchSize !== undefined && { batchSize }),
      ...(maxSteps !== undefined && { maxSteps }),
      ...(Object.keys(settings).length > 0 && { raw: settings }),
    },
    path,
  );
  facts.results({ stepsCompleted: globalStep, ...(epoch !== undefined && { epochsCompleted: epoch }) }, path);
  if (state.isResumed) {
    facts.pieced();
    facts.warn(path, 'the training was resumed: train_runtime and train_loss are of its last process alone');
  } else if (runtimeSeconds !== undefined) {
    facts.results({ durationSeconds: runtimeSeconds }, path);
  }
  facts.history(history, path);
}

function takeResultFiles(
  results: readonly ReadFile[],
  current: StateFile | undefined,
  facts: FactCollector,
): void {
  const own = results.filter(({ path }) => path !== mixedResults);
  const mixed = results.filter(({ path }) => path === mixedResults);
  for (const { path, parsed } of own) takeMetrics(path, parsed, facts);
  if (current) facts.metrics(current.state.metrics, current.path);
  for (const { path, parsed } of mixed) takeMetrics(path, parsed, facts);
  const train = own.find(({ path }) => path === 'train_results.json');
  const runtime = train && isJsonObjectOf(train.parsed) ? train.parsed['train_runtime'] : undefined;
  if (train && typeof runtime === 'number' && runtime >= 0 && !current?.state.isResumed) {
    facts.results({ durationSeconds: runtime }, train.path);
  }
}

function takeMetrics(path: WatchedPath, parsed: unknown, facts: FactCollector): void {
  if (!isJsonObjectOf(parsed)) return;
  const values = Object.entries(parsed).slice(0, 512);
  facts.metrics(
    Object.fromEntries(
      values.filter(
        (entry): entry is [string, number] => typeof entry[1] === 'number' && entry[0] !== 'epoch',
      ),
    ),
    path,
  );
  const { epoch } = parsed;
  if (typeof epoch === 'number' && epoch >= 0) facts.results({ epochsCompleted: epoch }, path);
}

function takeModel(read: readonly ReadFile[], facts: FactCollector): void {
  for (const { path, parsed } of read) {
    if (!modelNames.includes(path) || !isJsonObjectOf(parsed)) continue;
    const model = parsed[path === 'config.json' ? '_name_or_path' : 'base_model_name_or_path'];
    if (typeof model === 'string' && model !== '') facts.config({ model: model.slice(0, 4096) }, path);
  }
}

function isObject(parsed: unknown): boolean {
  return typeof parsed === 'object' && parsed !== null;
}

/** `parse` of the small files gave JSON. */
function isJsonObjectOf(parsed: unknown): parsed is JsonObject {
  return isJsonObject(parsed as JsonObject | undefined);
}
