import { baseName, type WatchedPath } from '../domain/watched-path.ts';
import { checkpointDirectories, checkpointEntries } from './parts/checkpoints.ts';
import { knownConfig, rawConfig } from './parts/config-fields.ts';
import { begunAtMs } from './parts/event-files.ts';
import { FactCollector } from './parts/fact-collector.ts';
import { closingMs } from './parts/later-activity.ts';
import { readTime } from './parts/read-time.ts';
import { parseSafeYaml, type SafeYaml, yamlBytesMax } from './parts/safe-yaml.ts';
import { headerBytesMax, readSafetensorsHeader, type SafetensorsHeader } from './parts/safetensors-header.ts';
import { beginsAsSafetensors } from './parts/safetensors-start.ts';
import { isTrackedAnew } from './parts/trainer-activity.ts';
import { consoleSelections, trainingLogs } from './parts/training-console.ts';
import { isLog } from './plain-log.ts';
import {
  type DirectoryView,
  type Ending,
  type FileInfo,
  type FormatReader,
  nothing,
  type ReadFile,
  type Recognition,
  type Selection,
} from './reader.ts';

/** Output directories of the training scripts of diffusers, and of others that track with accelerate. */

const weightsName = 'pytorch_lora_weights.safetensors';
/** accelerate/tracking.py: `<project>/<tracker>/<time>/hparams.yml`, the time with its fraction. */
const hparamsPath = /^logs\/[^/]{1,255}\/(\d{10})(?:\.\d{1,9})?\/hparams\.yml$/;
const checkpointName = /^checkpoint-(\d{1,15})$/;
const momentMs = 10_000;

export const diffusersReader: FormatReader = {
  name: 'diffusers',

  recognise(directory) {
    if (checkpointName.test(directory.name)) return undefined;
    return byHparams(directory) ?? byCheckpoints(directory);
  },

  looksInto: /^(?:logs|checkpoint-\d{1,15})$/,

  select(files) {
    return [...select(files)];
  },

  assess(read, { files }) {
    const hparams = read
      .filter(({ path, parsed }) => hparamsPath.test(path) && parsed !== undefined)
      .sort(byTime);
    const checkpoints = checkpointDirectories(files, checkpointName, isAccelerateMark).filter(
      ({ path }) => !files.some((file) => file.path === `${path}/trainer_state.json`),
    );
    const weights = read.find(({ path, parsed }) => path === weightsName && parsed !== undefined);
    if (hparams.length === 0 && checkpoints.length === 0) return nothing;
    const facts = new FactCollector();
    takeHparams(hparams, facts);
    const source = weights?.path ?? checkpoints.at(-1)?.mark;
    if (source !== undefined) facts.session('framework', 'diffusers', source);
    const last = checkpoints.at(-1);
    const checkpointsSaved = checkpointEntries(checkpoints);
    if (last && checkpointsSaved) facts.results({ stepsCompleted: last.step, checkpointsSaved }, last.mark);
    if (weights === undefined) return facts.assessment();
    if (isTrainedAfter(weights, files, trainingLogs(read))) return facts.assessment(undefined, true);
    return facts.assessment(endingBy(weights));
  },
};

function byHparams({ names, below }: DirectoryView): Recognition | undefined {
  if (!names.has('logs')) return undefined;
  for (const tracker of [...below('logs')].sort()) {
    const starts = [...below(`logs/${tracker}`)].filter((name) => /^\d{10}(?:\.\d{1,9})?$/.test(name)).sort();
    for (const start of starts.reverse()) {
      const path = `logs/${tracker}/${start}/hparams.yml`;
      if (below(`logs/${tracker}/${start}`).has('hparams.yml')) return { confidence: 'likely', reason: path };
    }
  }
  return undefined;
}

/** What accelerate's save_state() leaves, and no Trainer. */
function byCheckpoints({ names, below }: DirectoryView): Recognition | undefined {
  for (const name of names) {
    if (!checkpointName.test(name)) continue;
    const inside = below(name);
    const isOurs = inside.has('random_states_0.pkl') && !inside.has('trainer_state.json');
    if (isOurs) return { confidence: 'likely', reason: name };
  }
  return undefined;
}

function isAccelerateMark(name: string): boolean {
  return name === 'random_states_0.pkl' || name === 'scheduler.bin' || name === weightsName;
}

function* select(files: readonly FileInfo[]): Generator<Selection> {
  const hparams = files.filter(({ path }) => hparamsPath.test(path)).sort(byTime);
  for (const { path } of [...hparams.slice(0, 1), ...hparams.slice(1).slice(-8)]) {
    const parse = (bytes: Buffer) => parseSafeYaml(bytes);
    yield { manner: 'whole', path, keep: 'companion', bytesMax: yamlBytesMax + 1, parse };
  }
  for (const { path } of files) {
    if (path !== weightsName) continue;
    const parse = (bytes: Buffer, file: FileInfo) =>
      beginsAsSafetensors(bytes, file.sizeBytes) ? readSafetensorsHeader(bytes, file) : undefined;
    yield { manner: 'whole', path, keep: 'companion', bytesMax: 8 + headerBytesMax, parse };
    yield* consoleSelections(files, isLog);
  }
}

function takeHparams(files: readonly ReadFile[], facts: FactCollector): void {
  const [first] = files;
  const newest = files.at(-1);
  if (!first || !newest) return;
  facts.session('startedAt', readTime(begunAt(first.path))?.iso, first.path);
  // `parse` gave it.
  const { value, warnings } = newest.parsed as SafeYaml;
  for (const warning of warnings) facts.warn(newest.path, warning);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  const { raw, warning } = rawConfig(value);
  if (warning !== undefined) facts.warn(newest.path, warning);
  facts.config({ ...knownConfig(value), ...(raw && { raw }) }, newest.path);
  const model = value['pretrained_model_name_or_path'];
  if (typeof model === 'string' && model !== '') facts.session('framework', 'diffusers', newest.path);
}

/** The weights in the root are written last; a training that was begun in the directory again leaves them as they are. */
function isTrainedAfter(weights: FileInfo, files: readonly FileInfo[], logs: readonly FileInfo[]): boolean {
  const isLater = ({ modifiedAtMs }: FileInfo) => modifiedAtMs > weights.modifiedAtMs + momentMs;
  if (logs.some(isLater) || isTrackedAnew({ atMs: weights.modifiedAtMs }, files)) return true;
  return files.some(({ path, modifiedAtMs }) => {
    if (/^checkpoint-\d{1,15}\//.test(path)) return modifiedAtMs > weights.modifiedAtMs + momentMs;
    const begun = hparamsPath.test(path) ? begunAt(path) * 1000 : begunAtMs(path);
    return begun !== undefined && begun > weights.modifiedAtMs;
  });
}

/** The header is written first: a file that is cut off is no end. */
function endingBy({ path, parsed }: ReadFile): Ending | undefined {
  // `parse` gave it.
  const { isWhole } = parsed as SafetensorsHeader;
  if (isWhole === false) return undefined;
  return { status: 'completed', by: path, ...(isWhole === undefined && { quietMs: closingMs }) };
}

function begunAt(path: WatchedPath): number {
  return Number(hparamsPath.exec(path)?.[1] ?? 0);
}

function byTime(a: FileInfo, b: FileInfo): number {
  return begunAt(a.path) - begunAt(b.path) || (baseName(a.path) < baseName(b.path) ? -1 : 1);
}
