import type { HistoryCell } from '../../domain/history.ts';
import type { Follower } from '../reader.ts';
import { CsvFollower } from './csv-follower.ts';
import { HistoryBuilder } from './history-builder.ts';
import { LineSplitter } from './line-splitter.ts';

const metricsMax = 64;
const nameLengthMax = 128;

/** One training among those that results.csv holds one after the other. */
export class ResultsRun {
  readonly history = new HistoryBuilder();
  /** The last finite value of each column. */
  readonly metrics = new Map<string, number>();
  readonly #first: number;
  #last: number;
  #seconds: number | undefined;
  #earlierSeconds = 0;

  constructor(epoch: number) {
    this.#first = epoch;
    this.#last = epoch;
  }

  /** Older versions number epochs from 0. */
  get epochsCompleted(): number {
    return this.#first === 0 ? this.#last + 1 : this.#last;
  }

  /** `time` counts from the start of the process: where it falls, another one went on. */
  get durationSeconds(): number | undefined {
    return this.#seconds === undefined ? undefined : this.#earlierSeconds + this.#seconds;
  }

  /** An epoch that comes again after NaN was found goes on from the last weights; only the first one is a new start. */
  isBegunAnewBy(epoch: number): boolean {
    return epoch <= this.#first && epoch < this.#last;
  }

  take(epoch: number, cells: readonly (readonly [string, HistoryCell | undefined])[]): void {
    this.#last = epoch;
    this.history.add(undefined, cells);
    for (const [name, value] of cells) {
      if (name === 'time' && typeof value === 'number' && value >= 0) this.#takeTime(value);
      else if (name !== 'epoch' && name !== 'time') this.#takeMetric(name, value);
    }
  }

  #takeTime(value: number): void {
    if (this.#seconds !== undefined && value < this.#seconds) this.#earlierSeconds += this.#seconds;
    this.#seconds = value;
  }

  #takeMetric(name: string, value: HistoryCell | undefined): void {
    if (name.length > nameLengthMax || name === '') return;
    if (typeof value !== 'number') this.metrics.delete(name);
    else if (this.metrics.size < metricsMax || this.metrics.has(name)) this.metrics.set(name, value);
  }
}

/** results.csv: the last of its runs. Headers and cells may be padded; a header may come again with every run. */
export class ResultsFollower implements Follower {
  #run: ResultsRun | undefined;
  #runs = 0;
  #withoutEpoch = 0;
  #isOurs = false;
  readonly #csv = new CsvFollower({
    header: (names, isFirst) => {
      this.#isOurs ||= isResultsHeader(names);
      if (!isFirst) this.#run = undefined;
    },
    row: (cells, names) => this.#takeRow(cells, names),
  });

  push(bytes: Buffer): void {
    this.#csv.push(bytes);
  }

  get run(): ResultsRun | undefined {
    return this.#run;
  }
  /** By its columns: there are many tables of this name. */
  get isOurs(): boolean {
    return this.#isOurs;
  }

  warnings(): string[] {
    return [
      ...this.#csv.warnings(),
      ...(this.#runs > 1 ? [`${this.#runs} runs one after the other, the last is read`] : []),
      ...(this.#withoutEpoch > 0 ? [`rows without an epoch left out: ${this.#withoutEpoch}`] : []),
      ...((this.#run?.history.columnsLeftOut ?? 0) > 0 ? ['not all columns are in the history'] : []),
    ];
  }

  #takeRow(cells: readonly (HistoryCell | undefined)[], names: readonly string[]): void {
    const epoch = cells[names.indexOf('epoch')];
    if (typeof epoch !== 'number' || !Number.isSafeInteger(epoch) || epoch < 0) {
      this.#withoutEpoch += 1;
      return;
    }
    if (this.#run === undefined || this.#run.isBegunAnewBy(epoch)) {
      this.#run = new ResultsRun(epoch);
      this.#runs += 1;
    }
    this.#run.take(
      epoch,
      names.map((name, at) => [name, cells[at]] as const),
    );
  }
}

export function isResultsHeader(names: readonly string[]): boolean {
  return names[0] === 'epoch' && names.some((name) => /^(?:train\/\w{1,32}_?loss|metrics\/\w)/.test(name));
}

/** `100 epochs completed in 1.412 hours.`, unless a training began after it. */
export class CompletionLine implements Follower {
  isTold = false;
  readonly #splitter = new LineSplitter((line) => this.#takeLine(line));

  push(bytes: Buffer): void {
    this.#splitter.push(bytes);
  }

  #takeLine(line: string): void {
    if (/^\d{1,9} epochs completed in [\d.]{1,20} hours\.\s*$/.test(line)) this.isTold = true;
    else if (this.isTold && /^(?:Starting training for|Resuming training|engine[\\/]trainer: )/.test(line)) {
      this.isTold = false;
    }
  }
}
