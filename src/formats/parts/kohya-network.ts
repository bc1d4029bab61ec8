import { isJsonObject, type JsonObject, type JsonValue } from '../../domain/json.ts';
import type { ConfigSection } from '../../domain/session-log.ts';
import type { WatchedPath } from '../../domain/watched-path.ts';
import { type FileInfo, UnreadableFile } from '../reader.ts';
import { amount, rawConfig, text, whole } from './config-fields.ts';
import type { FactCollector } from './fact-collector.ts';
import { parseLenientJson } from './lenient-json.ts';
import { readTime } from './read-time.ts';
import { readSafetensorsHeader } from './safetensors-header.ts';
import { beginsAsSafetensors } from './safetensors-start.ts';

const valueLengthMax = 4096;

/** What sd-scripts writes into the header of a network. */
export interface Network {
  readonly metadata: ReadonlyMap<string, string>;
  readonly isWhole: boolean | undefined;
  /** Unix seconds. */
  readonly startedAt: number;
  readonly steps: number;
}

export function isNetwork(bytes: Buffer): boolean {
  // The size is not known here; what the header says must fit into something.
  return beginsAsSafetensors(bytes, Number.MAX_SAFE_INTEGER) && bytes.includes('"ss_training_started_at"');
}

/** Undefined for networks of others, and for what only has such a name: Git LFS pointers, half-written files. */
export function parseNetwork(bytes: Buffer, file: FileInfo): Network | undefined {
  if (!beginsAsSafetensors(bytes, file.sizeBytes)) return undefined;
  const { metadata, isWhole } = readSafetensorsHeader(bytes, file);
  const startedAt = amount(metadata.get('ss_training_started_at'));
  if (startedAt === undefined) return undefined;
  return { metadata, isWhole, startedAt, steps: whole(metadata.get('ss_steps'), 0) ?? 0 };
}

export function takeFacts(facts: FactCollector, network: Network, path: WatchedPath): void {
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
