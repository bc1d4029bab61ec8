import { isJsonObject, type JsonObject, type JsonValue } from '../../domain/json.ts';
import type { ConfigSection } from '../../domain/session-log.ts';

/** What a configuration of a training calls the things that the session log has fields for. Names in order of trust. */

export const rawBytesMax = 64 * 1024;
const depthMax = 3;
const textLengthMax = 4096;

const names = {
  epochs: ['num_train_epochs', 'num_epochs', 'max_epochs', 'n_epochs', 'epochs', 'total_epochs'],
  batchSize: [
    'batch_size',
    'train_batch_size',
    'per_device_train_batch_size',
    'batch',
    'batchsize',
    'micro_batch_size',
  ],
  learningRate: ['learning_rate', 'lr', 'lr0', 'base_lr', 'max_lr'],
  maxSteps: ['max_steps', 'max_train_steps', 'num_iterations', 'max_iters', 'total_steps', 'num_steps'],
  seed: ['seed', 'random_seed', 'global_seed'],
  model: ['model_name_or_path', 'base_model', 'model_name', 'pretrained_model_name_or_path', 'model'],
  dataset: ['dataset_name', 'dataset', 'data_path', 'train_data', 'train_file', 'data'],
} as const;

/** Fields by their usual names, at the top or in the sections below it; where two places disagree, none is taken. */
export function knownConfig(document: JsonObject): ConfigSection {
  const found: ConfigSection = {};
  const epochs = pick(document, names.epochs, (value) => amount(value));
  const batchSize = pick(document, names.batchSize, (value) => amount(value));
  const learningRate = pick(document, names.learningRate, (value) => amount(value));
  const maxSteps = pick(document, names.maxSteps, (value) => whole(value, 1));
  const seed = pick(document, names.seed, (value) => whole(value, -Infinity));
  const model = pick(document, names.model, text);
  const dataset = pick(document, names.dataset, text);
  if (epochs !== undefined) found.epochs = epochs;
  if (batchSize !== undefined) found.batchSize = batchSize;
  if (learningRate !== undefined) found.learningRate = learningRate;
  if (maxSteps !== undefined) found.maxSteps = maxSteps;
  if (seed !== undefined) found.seed = seed;
  if (model !== undefined) found.model = model;
  if (dataset !== undefined) found.dataset = dataset;
  return found;
}

/** A key `__proto__` is legal JSON, and a trap for whoever reads the log. */
function dropProto(key: string, value: unknown): unknown {
  return key === '__proto__' ? undefined : value;
}

/** The document without such keys, at any depth. */
export function withoutProto(document: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(document, dropProto)) as JsonObject;
}

/** The whole document, while it is of a bearable size. */
export function rawConfig(document: JsonObject): { raw?: JsonObject; warning?: string } {
  const written = JSON.stringify(document, dropProto);
  const bytes = Buffer.byteLength(written);
  if (bytes > rawBytesMax) {
    return { warning: `the configuration of ${bytes} bytes is left out, more than ${rawBytesMax}` };
  }
  const raw = JSON.parse(written) as JsonObject;
  return Object.keys(raw).length > 0 ? { raw } : {};
}

/** A number from 0, also as the text of one. */
export function amount(value: JsonValue | undefined): number | undefined {
  const number = numberOf(value);
  // Beyond it stands "without a limit": the largest integer that the writer knew.
  return number !== undefined && number >= 0 && number <= Number.MAX_SAFE_INTEGER ? number : undefined;
}

export function whole(value: JsonValue | undefined, least: number): number | undefined {
  const number = numberOf(value);
  return number !== undefined && Number.isSafeInteger(number) && number >= least ? number : undefined;
}

export function text(value: JsonValue | undefined): string | undefined {
  if (typeof value !== 'string' || value === '' || value === 'None' || value === 'null') return undefined;
  return value.slice(0, textLengthMax);
}

function numberOf(value: JsonValue | undefined): number | undefined {
  if (typeof value === 'number') return value;
  if (
    typeof value !== 'string' ||
    !/^[-+]?(?:\d{1,20}\.?\d{0,20}|\.\d{1,20})(?:[eE][-+]?\d{1,3})?$/.test(value)
  ) {
    return undefined;
  }
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

function pick<T>(
  document: JsonObject,
  wanted: readonly string[],
  read: (value: JsonValue) => T | undefined,
): T | undefined {
  for (const name of wanted) {
    const values = new Set(valuesOf(document, name, 1).flatMap((value) => read(value) ?? []));
    if (values.size > 0) return values.size === 1 ? [...values][0] : undefined;
  }
  return undefined;
}

/** The nearest to the top counts: what lies below a place that has the name is not looked at. */
function valuesOf(object: JsonObject, name: string, depth: number): JsonValue[] {
  const own = Object.hasOwn(object, name) ? object[name] : undefined;
  if (own !== undefined && own !== null && !isJsonObject(own)) return [own];
  if (depth >= depthMax) return [];
  return Object.values(object).flatMap((value) =>
    isJsonObject(value) ? valuesOf(value, name, depth + 1) : [],
  );
}
