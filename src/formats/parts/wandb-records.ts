import type { JsonValue } from '../../domain/json.ts';
import { type Follower, UnreadableFile } from '../reader.ts';
import { HistoryBuilder } from './history-builder.ts';
import { LevelDbLog } from './leveldb-log.ts';
import { readWire, signedOf } from './protobuf-wire.ts';
import { configBytesMax, itemsOf, jsonOf, textLengthMax, textOf, timestampOf } from './wandb-items.ts';

/**
 * What is remembered of a `.wandb` file: records of wandb/proto/wandb_internal.proto. Of a run's description only identity,
 * start and configuration are taken: settings, environment and `_wandb` hold the user's e-mail address.
 */

const recordField = { history: 2, summary: 3, config: 5, run: 17, exit: 18, preempting: 23 } as const;
const runField = { id: 1, config: 4, startTime: 17, resumed: 18 } as const;

const summaryKeysMax = 256;
const evaluated = /^(?:eval|evaluation|val|valid|validation|test|predict)[/_.-]/i;
const counters = /(?:^|[/_])(?:epoch|step|runtime)$/i;
const stepNames = ['train/global_step', 'trainer/global_step', 'global_step'];

export class WandbFollower implements Follower {
  readonly config = new Map<string, JsonValue>();
  readonly summary = new Map<string, number | string>();
  readonly history = new HistoryBuilder();
  runId: string | undefined;
  startedAtMs: number | undefined;
  isResumed = false;
  isPreempting = false;
  exit: { readonly code: number; readonly runtimeSeconds: number | undefined } | undefined;
  /** As the trainer counts; undefined where only wandb does. */
  trainerStep: number | undefined;
  /** What it logged is all of evaluations: an exit of its own says nothing of the training that it evaluated. */
  get isEvaluation(): boolean {
    return this.#evaluated && !this.#trained;
  }
  readonly #log = new LevelDbLog((record) => this.#takeRecord(record));
  #configBytes = 0;
  #configLeftOut = 0;
  #unreadable = 0;
  #notFinite = 0;
  #evaluated = false;
  #trained = false;

  push(bytes: Buffer): void {
    this.#log.push(bytes);
  }

  warnings(): string[] {
    const counted: [number, string][] = [
      [this.#log.tooLarge, 'records too large to be read'],
      [this.#unreadable, 'records that are no protobuf message'],
      [this.#configLeftOut, `keys of the configuration beyond ${configBytesMax} bytes left out`],
      [this.#notFinite, 'NaN or Infinity read as null'],
      [this.history.columnsLeftOut > 0 ? 1 : 0, 'not all columns are in the history'],
    ];
    const found = counted.flatMap(([count, text]) => (count > 0 ? [`${text}: ${count}`] : []));
    return this.#log.damage === undefined ? found : [...found, this.#log.damage];
  }

  #takeRecord(record: Buffer): void {
    try {
      for (const field of readWire(record))
        if (field.type === 'bytes') this.#takeField(field.number, field.value);
    } catch (error) {
      if (!(error instanceof UnreadableFile)) throw error;
      this.#unreadable += 1;
    }
  }

  #takeField(number: number, message: Buffer): void {
    if (number === recordField.history) this.#takeHistory(message);
    else if (number === recordField.summary) this.#takeSummary(message);
    else if (number === recordField.config) this.#takeConfig(message);
    else if (number === recordField.run) this.#takeRun(message);
    else if (number === recordField.exit) this.#takeExit(message);
    else if (number === recordField.preempting) this.isPreempting = true;
  }

  #takeRun(message: Buffer): void {
    for (const field of readWire(message)) {
      if (field.type === 'bytes' && field.number === runField.id) this.runId = textOf(field.value);
      if (field.type === 'bytes' && field.number === runField.config) this.#takeConfig(field.value);
      if (field.type === 'bytes' && field.number === runField.startTime)
        this.startedAtMs = timestampOf(field.value);
      if (field.type === 'varint' && field.number === runField.resumed) this.isResumed = field.value !== 0n;
    }
    // A run that is described again goes on.
    this.exit = undefined;
  }

  #takeExit(message: Buffer): void {
    let code = 0;
    let runtimeSeconds: number | undefined;
    for (const field of readWire(message)) {
      if (field.type !== 'varint') continue;
      if (field.number === 1) code = Number(BigInt.asIntN(32, field.value));
      if (field.number === 2) runtimeSeconds = signedOf(field.value);
    }
    this.exit = { code, runtimeSeconds };
  }

  #takeConfig(message: Buffer): void {
    for (const { key, value } of itemsOf(message, 1)) {
      if (key === '_wandb' || key === 'wandb_version') continue;
      this.#configBytes += key.length + value.length;
      if (this.#configBytes > configBytesMax) this.#configLeftOut += 1;
      else this.config.set(key, jsonOf(value));
    }
  }

  #takeSummary(message: Buffer): void {
    for (const { key, value } of itemsOf(message, 1)) {
      const cell = this.#cellOf(value);
      if (cell === undefined || cell === null) this.summary.delete(key);
      else if (this.summary.size < summaryKeysMax || this.summary.has(key)) this.summary.set(key, cell);
    }
  }

  #takeHistory(message: Buffer): void {
    const cells: [string, number | string | null][] = [];
    let step: number | undefined;
    for (const { key, value } of itemsOf(message, 1)) {
      const cell = this.#cellOf(value);
      if (key === '_step' && typeof cell === 'number') step = cell;
      if (cell !== undefined && !key.startsWith('_')) cells.push([key, cell]);
    }
    const counted = cells.find(([name, value]) => stepNames.includes(name) && typeof value === 'number');
    if (typeof counted?.[1] === 'number') this.trainerStep = counted[1];
    this.#takeKind(cells.map(([name]) => name));
    if (cells.length > 0)
      this.history.add(this.trainerStep === undefined ? step : (counted?.[1] as number | undefined), cells);
  }

  #takeKind(names: readonly string[]): void {
    for (const name of names) {
      if (evaluated.test(name)) this.#evaluated = true;
      else if (!stepNames.includes(name) && !counters.test(name)) this.#trained = true;
    }
  }

  /** Undefined for what is no single value: images, tables, histograms. */
  #cellOf(value: Buffer): number | string | null | undefined {
    if (value.length > textLengthMax) return undefined;
    const text = value.toString('utf8');
    const number = Number(text);
    if (/^-?\d/.test(text) && Number.isFinite(number)) return number;
    if (/^-?(?:NaN|Infinity)$|^"(?:NaN|-?Infinity)"$/.test(text)) {
      this.#notFinite += 1;
      return null;
    }
    const found = jsonOf(value);
    return typeof found === 'string' ? found : undefined;
  }
}
