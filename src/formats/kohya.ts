import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts';
import type { ConfigSection } from '../domain/session-log.ts';
import { baseName, comparePaths, displayPath } from '../domain/watched-path.ts';
import { amount, rawConfig, text, whole } from './config-fields.ts';
import { FactCollector } from './fact-collector.ts';
import { closingMs, wentOnAfter } from './later-activity.ts';
import { parseLenientJson } from './lenient-json.ts';
import { readTime } from './read-time.ts';
import {
  type Ending,
  type FileInfo,
  type FormatReader,
  nothing,
  type ReadFile,
  UnreadableFile,
} from './reader.ts';
import { headerBytesMax, readSafetensorsHeader } from './safetensors-header.ts';
import { beginsAsSafetensors } from './safetensors-start.ts';

/**
 * kohya's sd-scripts (train_network.py): everything is in the metadata of the networks it saves, as texts:
 * `{output_name}-{epoch:06d}`, `{output_name}-step{step:08d}`, and without a suffix the last one.
 */

const filesMax = 16;
const weights = /^(?:[^/]+\/)?[^/]{1,200}\.safetensors$/;
const others = /(?:^|\/)(?:model|adapter_model|diffusion_pytorch_model|pytorch_)[^/]*$|(?:^|\/)checkpoint/;
const state = /^(?:[^/]+\/)?[^/]{1,200}-state\/train_state\.json$/;
const valueLengthMax = 4096;

export const kohyaReader: FormatReader = {
  name: 'sd-scripts',

  recognise({ names }) {
    const paths = [...names].filter((name) => weights.test(name) && !others.test(name)).sort(comparePaths);
    if (paths.length === 0) return undefined;
    const proof = { paths: paths.slice(0, 4), bytesMax: 64 * 1024, believe: isNetwork };
    return { confidence: 'likely', reason: 'a network of sd-scripts', proof };
  },

  select(files) {
    const newest = (pattern: RegExp) =>
      files
        .filter(({ path }) => pattern.test(path) && !others.test(path))
        .sort((a, b) => b.modifiedAtMs - a.modifiedAtMs || comparePaths(a.path, b.path))
        .slice(0, filesMax);
    const common = { manner: 'whole', keep: 'companion' } as const;
    return [
      ...newest(weights).map(({ path }) => ({
        ...common,
        path,
        bytesMax: 8 + headerBytesMax,
        parse: parseNetwork,
      })),
      ...newest(state).map(({ path }) => ({ ...common, path, bytesMax: 4096, parse: parseState })),
    ];
  },

  assess(read, session) {
    // `select` chose them: `parseNetwork` and `parseState` made what is remembered.
    const networks = read.flatMap((file) =>
      weights.test(file.path) && file.parsed !== undefined ? [{ ...file, ...(file.parsed as Network) }] : [],
    );
    const [newest, ...earlier] = networks.sort(byProgress);
    if (newest === undefined) return nothing;
    const facts = new FactCollector();
    takeFacts(facts, newest, newest.path);
    takeStates(facts, read, newest);
    const others = new Set(earlier.map(({ startedAt }) => startedAt));
    others.delete(newest.startedAt);
    if (others.size > 0)
      facts.warn(newest.path, `networks of ${others.size + 1} trainings, the last is read`);
    return facts.assessment(endingOf(networks, newest, session.files));
  },
};

interface Network {
  readonly metadata: ReadonlyMap<string, string>;
  readonly isWhole: boolean | undefined;
  /** Unix seconds. */
  readonly startedAt: number;
  readonly steps: number;
}

type NetworkFile = ReadFile & Network;

interface State {
  readonly step: number;
}

function isNetwork(bytes: Buffer): boolean {
  // The size is not known here; what the header says must fit into something.
  return beginsAsSafetensors(bytes, Number.MAX_SAFE_INTEGER) && bytes.includes('"ss_training_started_at"');
}

/** Undefined for networks of others, and for what only has such a name: Git LFS pointers, half-written files. */
function parseNetwork(bytes: Buffer, file: FileInfo): Network | undefined {
  if (!beginsAsSafetensors(bytes, file.sizeBytes)) return undefined;
  const { metadata, isWhole } = readSafetensorsHeader(bytes, file);
  const startedAt = amount(metadata.get('ss_training_started_at'));
  if (startedAt === undefined) return undefined;
  return { metadata, isWhole, startedAt, steps: whole(metadata.get('ss_steps'), 0) ?? 0 };
}

function parseState(bytes: Buffer): State | undefined {
  const { value } = parseLenientJson(bytes, 4096);
  const step = isJsonObject(value) ? whole(value['current_step'], 0) : undefined;
  return step === undefined ? undefined : { step };
}

/** The last training first, and of that the furthest; of two that are as far, the one without a suffix. */
function byProgress(a: NetworkFile, b: NetworkFile): number {
  const suffix = Number(isFinal(b)) - Number(isFinal(a));
  return b.startedAt - a.startedAt || b.steps - a.steps || suffix || comparePaths(a.path, b.path);
}

function isFinal({ path, metadata }: NetworkFile): boolean {
  const name = metadata.get('ss_output_name');
  return name !== undefined && baseName(path) === `${name}.safetensors`;
}

function takeFacts(facts: FactCollector, network: Network, path: string): void {
  const { metadata, startedAt } = network;
  const value = (name: string) => text(metadata.get(name));
  facts.session('framework', 'sd-scripts', path);
  facts.session('startedAt', readTime(startedAt)?.iso, path);
  const commit = value('ss_sd_scripts_commit_hash');
  if (commit !== '(unknown)') facts.session('version', commit, path);
  facts.config(configOf(metadata), path);
  const raw: JsonObject = Object.fromEntries([...metadata].filter(([name, one]) => isShort(name, one)));
  const { raw: kept, warning } = rawConfig(raw);
  if (kept) facts.config({ raw: kept }, path);
  if (warning !== undefined) facts.warn(path, warning);
  const epoch = amount(value('ss_epoch'));
  const steps = whole(value('ss_steps'), 0);
  const finishedAt = amount(value('ss_training_finished_at'));
  facts.results(
    {
      ...(epoch !== undefined && { epochsCompleted: epoch }),
      ...(steps !== undefined && { stepsCompleted: steps }),
      ...(finishedAt !== undefined && finishedAt >= startedAt && { durationSeconds: finishedAt - startedAt }),
    },
    path,
  );
}

function isShort(name: string, value: string): boolean {
  return name.startsWith('ss_') && value.length <= valueLengthMax;
}

function configOf(metadata: ReadonlyMap<string, string>): ConfigSection {
  const first = (...names: string[]) =>
    names.map((name) => text(metadata.get(name))).find((one) => one !== undefined);
  const epochs = amount(first('ss_num_epochs'));
  const maxSteps = whole(first('ss_max_train_steps'), 0);
  const batchSize =
    amount(first('ss_batch_size_per_device')) ?? batchSizeOfDatasets(metadata.get('ss_datasets'));
  const learningRate = amount(first('ss_learning_rate', 'ss_unet_lr'));
  const seed = whole(first('ss_seed'), 0);
  const model = first('ss_sd_model_name');
  return {
    ...(epochs !== undefined && { epochs }),
    ...(maxSteps !== undefined && { maxSteps }),
    ...(batchSize !== undefined && { batchSize }),
    ...(learningRate !== undefined && { learningRate }),
    ...(seed !== undefined && { seed }),
    ...(model !== undefined && { model }),
  };
}

/** With data sets from a TOML file it is inside a text that is JSON. */
function batchSizeOfDatasets(written: string | undefined): number | undefined {
  if (written === undefined) return undefined;
  let datasets: JsonValue;
  try {
    datasets = parseLenientJson(Buffer.from(written)).value;
  } catch (error) {
    if (error instanceof UnreadableFile) return undefined;
    throw error;
  }
  const sizes = (Array.isArray(datasets) ? datasets : []).map((one) =>
    isJsonObject(one) ? amount(one['batch_size_per_device']) : undefined,
  );
  return new Set(sizes).size === 1 ? sizes[0] : undefined;
}

/** A state is saved beside a network, by some settings more often. */
function takeStates(facts: FactCollector, read: readonly ReadFile[], newest: NetworkFile): void {
  for (const { path, parsed, modifiedAtMs } of read) {
    const at = state.test(path) ? (parsed as State | undefined) : undefined;
    if (at === undefined || at.step <= newest.steps || modifiedAtMs < newest.modifiedAtMs) continue;
    facts.warn(path, `a state at step ${at.step}, beyond the last network at ${newest.steps}`);
  }
}

/**
 * `ss_training_finished_at` is written with every network; only the one without a suffix is the last. It must be whole,
 * of the last training, and the furthest.
 */
function endingOf(
  networks: readonly NetworkFile[],
  newest: NetworkFile,
  files: readonly FileInfo[],
): Ending | undefined {
  const final = networks.find(
    (one) => isFinal(one) && one.startedAt === newest.startedAt && one.steps >= newest.steps,
  );
  if (final === undefined || final.isWhole === false || wentOnAfter(final.modifiedAtMs, files))
    return undefined;
  const endedAt = readTime(amount(final.metadata.get('ss_training_finished_at')) ?? null)?.iso;
  return {
    status: 'completed',
    by: displayPath(final.path),
    ...(endedAt !== undefined && { endedAt }),
    ...(final.isWhole === undefined && { quietMs: closingMs }),
  };
}
