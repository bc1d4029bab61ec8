import type { Follower } from '../reader.ts';
import { type FailureEvidence, FailureScan } from './failure-scan.ts';
import { HistoryBuilder } from './history-builder.ts';
import { LineSplitter } from './line-splitter.ts';
import { type MetricLine, readMetricLine } from './metric-line.ts';

const metricsMax = 64;

/** What a training prints: its curve, the totals it counts to, and how it ended, in bounded memory. */
export class PlainLogFollower implements Follower {
  readonly history = new HistoryBuilder();
  readonly #splitter = new LineSplitter((line) => this.#takeLine(line));
  readonly #failures = new FailureScan();
  readonly #metrics = new Map<string, number>();
  #notFinite = 0;
  #last: MetricLine | undefined;
  #trainRuntime: number | undefined;

  push(bytes: Buffer): void {
    this.#splitter.push(bytes);
  }

  /** What the last line without an end says counts as well: it may be all that there will be. */
  get evidence(): FailureEvidence | undefined {
    const { unfinished } = this.#splitter;
    if (unfinished === '') return this.#failures.evidence;
    const scan = this.#failures.copy();
    if (!scan.isInside(unfinished) && readMetricLine(unfinished)) scan.progressed();
    scan.take(unfinished);
    return scan.evidence;
  }

  get last(): MetricLine | undefined {
    return this.#last;
  }

  get notFinite(): number {
    return this.#notFinite;
  }

  /** Seconds, where the trainer prints them when it is done. */
  get trainRuntime(): number | undefined {
    return this.#trainRuntime;
  }

  /** The last value of each name. */
  get metrics(): ReadonlyMap<string, number> {
    return this.#metrics;
  }

  #takeLine(line: string): void {
    if (line === '') {
      this.#failures.take(line);
      return;
    }
    if (!line.startsWith('wandb: ') && !this.#failures.isInside(line)) {
      const found = readMetricLine(line);
      if (found) this.#takeMetrics(found);
    }
    this.#failures.take(line);
  }

  #takeMetrics(found: MetricLine): void {
    this.#failures.progressed();
    const { step, epoch, inEpoch, values } = found;
    for (const [name, value] of values) this.#takeValue(name, value);
    if (values.some(([name]) => name === 'train_runtime')) return;
    this.#last = merged(this.#last, found);
    const cells: [string, number][] = epoch === undefined ? [] : [['epoch', epoch]];
    if (inEpoch && step !== undefined) cells.push(['epoch_step', step]);
    this.history.add(inEpoch ? undefined : step, [...cells, ...values]);
  }

  #takeValue(name: string, value: number): void {
    if (!Number.isFinite(value)) {
      this.#notFinite += 1;
      this.#metrics.delete(name);
      return;
    }
    if (name === 'train_runtime' || name === 'train_runtime_s') this.#trainRuntime = value;
    if (this.#metrics.size < metricsMax || this.#metrics.has(name)) this.#metrics.set(name, value);
  }
}

/** Not every line says all of it. */
function merged(before: MetricLine | undefined, now: MetricLine): MetricLine {
  const { values: _, ...known } = now;
  return { ...before, ...known, values: [] };
}
