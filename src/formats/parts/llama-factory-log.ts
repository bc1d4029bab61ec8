import type { History } from '../../domain/history.ts';
import { isJsonObject, type JsonObject } from '../../domain/json.ts';
import { type Follower, UnreadableFile } from '../reader.ts';
import { HistoryBuilder } from './history-builder.ts';
import { parseLenientJson } from './lenient-json.ts';
import { LineSplitter } from './line-splitter.ts';

/**
 * trainer_log.jsonl of LLaMA-Factory (src/llamafactory/train/callbacks.py): a line per logging, also of predictions,
 * which have neither loss nor epoch.
 */
export class LlamaFactoryLog implements Follower {
  readonly #history = new HistoryBuilder();
  readonly #last = new Map<string, number>();
  readonly #lines = new LineSplitter((line) => this.#take(line));
  #rows = 0;
  #unreadable = 0;
  #maxSteps: number | undefined;
  #lastStep: number | undefined;
  #lastEpoch: number | undefined;
  #elapsed: number | undefined;
  #elapsedMax = 0;
  #clockFalls = 0;
  #stepsBack = 0;
  /** Of the processes before the last restart. */
  #elapsedBefore = 0;

  push(bytes: Buffer): void {
    this.#lines.push(bytes);
  }

  /** Lines of a training. */
  get rowCount(): number {
    return this.#rows;
  }
  get maxSteps(): number | undefined {
    return this.#maxSteps;
  }
  get lastStep(): number | undefined {
    return this.#lastStep;
  }
  get lastEpoch(): number | undefined {
    return this.#lastEpoch;
  }
  get lastValues(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#last);
  }
  get history(): History | undefined {
    return this.#history.build();
  }
  /** Processes one after the other add up; where two write into one file, their clocks only seem to fall. */
  get durationSeconds(): number | undefined {
    if (this.#elapsed === undefined) return undefined;
    const areSideBySide = this.#clockFalls > 3 && this.#clockFalls * 20 > this.#rows;
    return areSideBySide ? this.#elapsedMax : this.#elapsedBefore + this.#elapsed;
  }

  warnings(): string[] {
    const warnings: string[] = [];
    if (this.#unreadable > 0) warnings.push(`lines that are no JSON object left out: ${this.#unreadable}`);
    if (this.#stepsBack > 0) {
      const cause = this.#isShared
        ? 'more than one process writes this file'
        : 'the training was resumed or begun anew';
      warnings.push(`steps go back ${this.#stepsBack} times: ${cause}`);
    }
    return warnings;
  }

  get #isShared(): boolean {
    return this.#stepsBack > 3 && this.#stepsBack * 20 > this.#rows;
  }

  #take(line: string): void {
    if (line.trim() === '') return;
    const record = tryJson(line);
    const step = record && whole(record['current_steps']);
    if (!record || step === undefined) {
      this.#unreadable += 1;
      return;
    }
    if (!['epoch', 'loss', 'eval_loss'].some((name) => typeof record[name] === 'number')) return;
    this.#rows += 1;
    this.#maxSteps = whole(record['total_steps']) ?? this.#maxSteps;
    this.#takeTime(record, step);
    this.#takeValues(record, step);
  }

  #takeTime(record: JsonObject, step: number): void {
    if (this.#lastStep !== undefined && step < this.#lastStep) this.#stepsBack += 1;
    this.#lastStep = step;
    const elapsed = readDuration(record['elapsed_time']);
    if (elapsed === undefined) return;
    this.#elapsedMax = Math.max(this.#elapsedMax, elapsed);
    if (this.#elapsed !== undefined && elapsed < this.#elapsed / 2) {
      this.#clockFalls += 1;
      this.#elapsedBefore += this.#elapsed;
      this.#elapsed = elapsed;
    } else {
      this.#elapsed = Math.max(this.#elapsed ?? 0, elapsed);
    }
  }

  #takeValues(record: JsonObject, step: number): void {
    const cells: [string, number | null][] = [];
    for (const [written, value] of Object.entries(record)) {
      if (/^(?:current_steps|total_steps|percentage|elapsed_time|remaining_time|__proto__)$/.test(written))
        continue;
      const name = written === 'lr' ? 'learning_rate' : written;
      if (typeof value !== 'number' && value !== null) continue;
      cells.push([name, value]);
      if (value === null) continue;
      if (name === 'epoch') this.#lastEpoch = value;
      else if (this.#last.has(name) || this.#last.size < 64) this.#last.set(name, value);
    }
    this.#history.add(step, cells);
  }
}

/** `0:08:23`, `1 day, 0:08:23`, `9 days, 22:13:15.5`: how Python writes a timedelta. */
export function readDuration(value: unknown): number | undefined {
  if (typeof value !== 'string' || value.length > 64) return undefined;
  const match = /^(?:(\d{1,6}) days?, )?(\d{1,4}):([0-5]\d):([0-5]\d(?:\.\d{1,9})?)$/.exec(value.trim());
  if (!match) return undefined;
  const [, days = '0', hours, minutes, seconds] = match;
  return Number(days) * 86_400 + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

function tryJson(line: string): JsonObject | undefined {
  try {
    const { value } = parseLenientJson(Buffer.from(line));
    return isJsonObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof UnreadableFile) return undefined;
    throw error;
  }
}

function whole(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
