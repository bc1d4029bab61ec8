import type { Follower } from '../reader.ts';
import { HistoryBuilder } from './history-builder.ts';
import { LineSplitter } from './line-splitter.ts';

const line =
  /^(\d{1,16}) ([-+]?(?:\d{1,40}\.?\d{0,40}|\.\d{1,40})(?:e[-+]?\d{1,3})?|[-+]?(?:nan|inf(?:inity)?))(?: (-?\d{1,16}))?$/i;

/** One metric of a run: `<milliseconds> <value> <step>` a line; older ones have no step. */
export class MetricFollower implements Follower {
  readonly history = new HistoryBuilder();
  readonly #name: string;
  readonly #splitter = new LineSplitter((text) => this.#takeLine(text));
  #last: number | undefined;
  #unreadable = 0;
  #notFinite = 0;

  constructor(name: string) {
    this.#name = name;
  }

  push(bytes: Buffer): void {
    this.#splitter.push(bytes);
  }

  /** The last value, where it is a number. */
  get last(): number | undefined {
    return this.#last;
  }

  warnings(): string[] {
    return [
      ...(this.#unreadable > 0 ? [`lines that are no metric of MLflow: ${this.#unreadable}`] : []),
      ...(this.#notFinite > 0 ? [`NaN or Infinity read as null: ${this.#notFinite}`] : []),
    ];
  }

  #takeLine(text: string): void {
    if (text.trim() === '') return;
    const match = line.exec(text.trim());
    if (match === null) {
      this.#unreadable += 1;
      return;
    }
    const value = Number(match[2]);
    const isNumber = Number.isFinite(value);
    if (!isNumber) this.#notFinite += 1;
    this.#last = isNumber ? value : undefined;
    this.history.add(match[3] === undefined ? undefined : Number(match[3]), [
      [this.#name, isNumber ? value : null],
    ]);
  }
}
