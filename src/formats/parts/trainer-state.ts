import type { History, HistoryCell } from '../../domain/history.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../domain/json.ts';
import { type FileInfo, UnreadableFile } from '../reader.ts';
import { HistoryBuilder } from './history-builder.ts';
import { parseLenientJson } from './lenient-json.ts';

/**
 * trainer_state.json of Hugging Face transformers (src/transformers/trainer_callback.py, TrainerState). The keys are
 * sorted: what is needed most stands before `log_history`, which grows with the training.
 */
export const stateBytesMax = 8 * 1024 * 1024;
const headBytes = 16 * 1024;
const metricsMax = 512;
const nameLengthMax = 128;
const textLengthMax = 128;

export interface TrainerState {
  readonly globalStep: number;
  readonly epoch?: number;
  readonly maxSteps?: number;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly settings: JsonObject;
  readonly history: History | undefined;
  /** The last value of each name that was logged; null where that was NaN. */
  readonly metrics: Readonly<Record<string, HistoryCell>>;
  /** Of the process that ended the training: it is only logged then. */
  readonly runtimeSeconds?: number;
  /** The training asked itself to stop. */
  readonly isStopping: boolean;
  /** The loss of the summary counts fewer steps than were done: an earlier process did the others. */
  readonly isResumed: boolean;
  readonly isTrl: boolean;
  readonly warnings: readonly string[];
}

const settingNames = [
  'num_train_epochs',
  'max_steps',
  'train_batch_size',
  'save_steps',
  'eval_steps',
  'logging_steps',
];
/** What the trainers of TRL log beside what all log. */
const trlNames =
  /^(?:mean_token_accuracy|num_tokens|rewards?\/.{1,64}|reward_std|objective\/.{1,64}|completions?\/.{1,64}|completion_length|logps\/.{1,64})$/;

/** Undefined for a document of the same name that is something else. Throws UnreadableFile. */
export function parseTrainerState(
  bytes: Buffer,
  file: FileInfo & { complete: boolean },
): TrainerState | undefined {
  if (!file.complete) return readHead(bytes, file.sizeBytes);
  const { value, warnings } = parseLenientJson(bytes, stateBytesMax);
  if (!isJsonObject(value) || !Array.isArray(value['log_history'])) return undefined;
  const globalStep = whole(value['global_step']);
  if (globalStep === undefined) return undefined;
  const log = readLog(value['log_history'], globalStep);
  return { ...readFields(value, globalStep), ...log, warnings: [...warnings, ...log.warnings] };
}

/** Do these first bytes look like one? */
export function looksLikeTrainerState(bytes: Buffer): boolean {
  const text = bytes.toString('latin1');
  return /"global_step"\s{0,8}:/.test(text) && /"log_history"\s{0,8}:/.test(text);
}

function readFields(state: JsonObject, globalStep: number) {
  const epoch = amount(state['epoch']);
  const maxSteps = whole(state['max_steps']);
  const epochs = amount(state['num_train_epochs']);
  const batchSize = whole(state['train_batch_size']);
  const settings = settingNames.flatMap((name) => {
    const value = state[name];
    return typeof value === 'number' ? [[name, value] as const] : [];
  });
  return {
    globalStep,
    ...(epoch !== undefined && { epoch }),
    ...(maxSteps !== undefined && maxSteps > 0 && { maxSteps }),
    // The largest integer there is stands for "until the steps are done".
    ...(epochs !== undefined && epochs > 0 && epochs < 1e9 && { epochs }),
    ...(batchSize !== undefined && batchSize > 0 && { batchSize }),
    settings: Object.fromEntries(settings),
    isStopping: isStopping(state['stateful_callbacks']),
  };
}

function isStopping(callbacks: JsonValue | undefined): boolean {
  const control = isJsonObject(callbacks) ? callbacks['TrainerControl'] : undefined;
  const args = isJsonObject(control) ? control['args'] : undefined;
  return isJsonObject(args) && args['should_training_stop'] === true;
}

function readLog(records: readonly JsonValue[], globalStep: number) {
  const history = new HistoryBuilder();
  const metrics = new Map<string, HistoryCell>();
  const losses = { sum: 0, count: 0 };
  let runtime: { seconds: number; step: number | undefined } | undefined;
  let isTrl = false;
  for (const record of records) {
    if (!isJsonObject(record)) continue;
    const { step: writtenStep, ...values } = record;
    const step = whole(writtenStep);
    const cells = Object.entries(values).flatMap(([name, value]) => cellOf(name, value));
    if (step !== undefined) history.add(step, cells);
    for (const [name, value] of cells) {
      if (name !== 'epoch' && (metrics.has(name) || metrics.size < metricsMax)) metrics.set(name, value);
      isTrl ||= trlNames.test(name);
    }
    const { loss, train_runtime: seconds } = values;
    if (typeof loss === 'number') {
      losses.sum += loss;
      losses.count += 1;
    }
    // What is logged after the summary belongs to a training that went on from it.
    if (loss !== undefined) runtime = undefined;
    if (typeof seconds === 'number' && seconds >= 0) runtime = { seconds, step };
  }
  const isEnd = runtime && (runtime.step ?? globalStep) === globalStep;
  const leftOut = history.columnsLeftOut;
  return {
    history: history.build(),
    metrics: Object.fromEntries(metrics),
    ...(runtime && isEnd && { runtimeSeconds: runtime.seconds }),
    isResumed: isFarBelow(metrics.get('train_loss'), losses),
    isTrl,
    warnings: leftOut > 0 ? [`values of more columns than are kept left out: ${leftOut}`] : [],
  };
}

function cellOf(name: string, value: JsonValue): [string, HistoryCell][] {
  if (name.length > nameLengthMax || name === '__proto__') return [];
  if (typeof value === 'string') return [[name, value.slice(0, textLengthMax)]];
  return typeof value === 'number' || value === null ? [[name, value]] : [];
}

/** The summary divides the losses since the last start by all steps: about the mean when there was one start. */
function isFarBelow(trainLoss: HistoryCell | undefined, losses: { sum: number; count: number }): boolean {
  if (typeof trainLoss !== 'number' || losses.count < 5) return false;
  const mean = losses.sum / losses.count;
  return mean > 0 && trainLoss >= 0 && trainLoss < mean * 0.6;
}

/** Of a state that is too long to be read whole: how far it is. */
function readHead(bytes: Buffer, sizeBytes: number): TrainerState | undefined {
  const head = bytes.subarray(0, headBytes);
  if (!looksLikeTrainerState(head)) return undefined;
  const text = head.toString('latin1');
  const globalStep = whole(Number(/"global_step"\s{0,8}:\s{0,8}(\d{1,15})/.exec(text)?.[1]));
  const epoch = amount(Number(/"epoch"\s{0,8}:\s{0,8}(\d{1,9}(?:\.\d{1,20})?)/.exec(text)?.[1]));
  if (globalStep === undefined)
    throw new UnreadableFile(`${sizeBytes} bytes, more than the ${stateBytesMax} that are read`);
  return {
    globalStep,
    ...(epoch !== undefined && { epoch }),
    settings: {},
    history: undefined,
    metrics: {},
    isStopping: false,
    isResumed: false,
    isTrl: false,
    warnings: [
      `${sizeBytes} bytes, more than the ${stateBytesMax} that are read: only step and epoch are known`,
    ],
  };
}

function whole(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function amount(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}
