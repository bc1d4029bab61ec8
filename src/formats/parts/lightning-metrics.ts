import type { History, HistoryCell } from '../../domain/history.ts';
import type { Follower } from '../reader.ts';
import { CsvFollower } from './csv-follower.ts';
import { HistoryBuilder } from './history-builder.ts';

/**
 * metrics.csv of Lightning's CSVLogger (lightning/fabric/loggers/csv_logs.py): sparse columns, `epoch` and `step` among
 * them, both counted from 0.
 */
export class LightningMetrics implements Follower {
  readonly #history = new HistoryBuilder();
  readonly #last = new Map<string, HistoryCell>();
  readonly #csv = new CsvFollower({ row: (cells, names) => this.#take(cells, names) });
  #lastStep: number | undefined;
  #lastEpoch: number | undefined;
  /** An epoch of which values over its whole length are there. */
  #lastWholeEpoch: number | undefined;

  push(bytes: Buffer): void {
    this.#csv.push(bytes);
  }

  /** Has it rows, below the columns that the logger always writes? */
  get isBelievable(): boolean {
    const { names, rowCount } = this.#csv;
    return rowCount > 0 && names !== undefined && names.includes('epoch') && names.includes('step');
  }
  get stepsCompleted(): number | undefined {
    return this.#lastStep === undefined ? undefined : this.#lastStep + 1;
  }
  get epochsCompleted(): number | undefined {
    return this.#lastWholeEpoch === undefined
      ? this.#lastEpoch
      : Math.max(this.#lastWholeEpoch + 1, this.#lastEpoch ?? 0);
  }
  get lastValues(): Readonly<Record<string, HistoryCell>> {
    return Object.fromEntries(this.#last);
  }
  get history(): History | undefined {
    return this.#history.build();
  }

  warnings(): string[] {
    const { columnsLeftOut } = this.#history;
    const leftOut =
      columnsLeftOut > 0 ? [`values of more columns than are kept left out: ${columnsLeftOut}`] : [];
    return [...this.#csv.warnings(), ...leftOut];
  }

  #take(cells: readonly (HistoryCell | undefined)[], names: readonly string[]): void {
    let step: number | undefined;
    let epoch: number | undefined;
    let isWholeEpoch = false;
    const values: [string, HistoryCell | undefined][] = [];
    for (const [at, cell] of cells.entries()) {
      const name = names[at] ?? '';
      if (cell === undefined || name === '' || name === '__proto__') continue;
      if (name === 'step') step = countOf(cell);
      else values.push([name, cell]);
      if (name === 'epoch') epoch = countOf(cell);
      else if (name !== 'step') this.#last.set(name, cell);
      isWholeEpoch ||= name.endsWith('_epoch');
    }
    this.#history.add(step, values);
    if (step !== undefined) this.#lastStep = Math.max(this.#lastStep ?? 0, step);
    if (epoch === undefined) return;
    this.#lastEpoch = Math.max(this.#lastEpoch ?? 0, epoch);
    if (isWholeEpoch) this.#lastWholeEpoch = Math.max(this.#lastWholeEpoch ?? 0, epoch);
  }
}

function countOf(cell: HistoryCell): number | undefined {
  return typeof cell === 'number' && Number.isSafeInteger(cell) && cell >= 0 ? cell : undefined;
}
