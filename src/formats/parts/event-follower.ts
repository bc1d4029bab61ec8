import type { History } from '../../domain/history.ts';
import { isJsonObject, type JsonObject } from '../../domain/json.ts';
import { type Follower, UnreadableFile } from '../reader.ts';
import { EventRecords } from './event-records.ts';
import { type EventRecord, type EventValue, readEvent } from './event-values.ts';
import { HistoryBuilder } from './history-builder.ts';
import { parseLenientJson } from './lenient-json.ts';

const tagsMax = 512;
/** 2001 to 2128: a clock that was never set tells no time. */
const plausible = { from: 1e9, to: 5e9 };

/** Where the Trainer of Hugging Face transformers puts its arguments and the model's configuration, as JSON. */
export const argumentsTag = 'args/text_summary';
const modelConfigTag = 'model_config/text_summary';
const runtimeTag = 'train/train_runtime';

/** One event file: scalars as a history, hyperparameters, first and last time. */
export class EventFollower implements Follower {
  readonly #records = new EventRecords((data) => this.#take(data));
  readonly #history = new HistoryBuilder(512);
  readonly #last = new Map<string, number | null>();
  readonly #seen = { records: 0, unreadable: 0, notFinite: 0, tagsLeftOut: 0 };
  #firstAt: number | undefined;
  #lastAt: number | undefined;
  #endedAt: number | undefined;
  #lastTrainingStep: number | undefined;
  #hasKerasModel = false;
  #trainerArguments: JsonObject | undefined;
  #modelConfig: JsonObject | undefined;
  #hyperparameters: JsonObject | undefined;

  push(bytes: Buffer): void {
    this.#records.push(bytes);
  }

  get recordCount(): number {
    return this.#seen.records;
  }
  /** Unix time of the first and the last record that has one. */
  get firstAtSeconds(): number | undefined {
    return this.#firstAt;
  }
  get lastAtSeconds(): number | undefined {
    return this.#lastAt;
  }
  /** When a Trainer wrote its last record, the one with the runtime, where nothing of the training came after it. */
  get trainerEndedAtSeconds(): number | undefined {
    return this.#endedAt;
  }
  /** Of the training itself, not of an evaluation. */
  get lastTrainingStep(): number | undefined {
    return this.#lastTrainingStep;
  }
  get hasKerasModel(): boolean {
    return this.#hasKerasModel;
  }
  get trainerArguments(): JsonObject | undefined {
    return this.#trainerArguments;
  }
  get modelConfig(): JsonObject | undefined {
    return this.#modelConfig;
  }
  get hyperparameters(): JsonObject | undefined {
    return this.#hyperparameters;
  }
  /** The last value of each tag; null where that was NaN. */
  get lastValues(): ReadonlyMap<string, number | null> {
    return this.#last;
  }
  get history(): History | undefined {
    return this.#history.build();
  }

  warnings(): string[] {
    const { unreadable, notFinite, tagsLeftOut } = this.#seen;
    const counted: [number, string][] = [
      [unreadable, 'records that are no event left out'],
      [notFinite, 'NaN or Infinity read as null'],
      [tagsLeftOut, `values of tags beyond ${tagsMax} left out`],
    ];
    const { damage } = this.#records;
    return [
      ...(damage === undefined ? [] : [`${damage}; what comes after is not read`]),
      ...counted.flatMap(([count, text]) => (count > 0 ? [`${text}: ${count}`] : [])),
    ];
  }

  #take(data: Buffer): void {
    const event = tryRead(data);
    if (event === undefined) {
      this.#seen.unreadable += 1;
      return;
    }
    this.#seen.records += 1;
    const at = event.wallTimeSeconds;
    const isPlausible = at !== undefined && at > plausible.from && at < plausible.to;
    if (isPlausible) {
      this.#firstAt = Math.min(this.#firstAt ?? at, at);
      this.#lastAt = Math.max(this.#lastAt ?? at, at);
    }
    for (const value of event.values) this.#takeValue(value, event.step, isPlausible ? at : undefined);
  }

  #takeValue({ tag, scalar, text, hyperparameters }: EventValue, step: number, at: number | undefined): void {
    if (hyperparameters) this.#hyperparameters = hyperparameters;
    if (scalar !== undefined) this.#takeScalar(tag, scalar, step, at);
    if (text === undefined) return;
    if (tag === argumentsTag) this.#trainerArguments = tryJson(text) ?? this.#trainerArguments;
    else if (tag === modelConfigTag) this.#modelConfig = tryJson(text) ?? this.#modelConfig;
    else if (tag === 'keras') this.#hasKerasModel = true;
  }

  #takeScalar(tag: string, value: number, step: number, at: number | undefined): void {
    this.#history.add(step, [[tag, value]]);
    if (tag === runtimeTag) this.#endedAt = at;
    if (tag === 'train/loss') this.#endedAt = undefined;
    if (tag.startsWith('train/')) this.#lastTrainingStep = Math.max(this.#lastTrainingStep ?? 0, step);
    const isNumber = Number.isFinite(value);
    if (!isNumber) this.#seen.notFinite += 1;
    if (this.#last.has(tag) || this.#last.size < tagsMax) this.#last.set(tag, isNumber ? value : null);
    else this.#seen.tagsLeftOut += 1;
  }
}

function tryRead(data: Buffer): EventRecord | undefined {
  try {
    return readEvent(data);
  } catch (error) {
    if (error instanceof UnreadableFile) return undefined;
    throw error;
  }
}

function tryJson(text: string): JsonObject | undefined {
  try {
    const { value } = parseLenientJson(Buffer.from(text));
    return isJsonObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof UnreadableFile) return undefined;
    throw error;
  }
}
