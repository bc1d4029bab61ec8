import type { History, HistoryCell } from '../../domain/history.ts';

const columnsMax = 48;
const nameLengthMax = 128;
const leading = ['step', 'epoch', 'loss'];

/**
 * Collects rows of a training that may be of any length in bounded memory: when there are too many, every second one
 * goes, and from then on only every second, fourth, … one is taken. The first and the last row are always there.
 *
 * Rows with the same step are one row: trainers write training and evaluation values apart.
 */
export class HistoryBuilder {
  readonly #rowsMax: number;
  readonly #columns: string[] = [];
  #rows: Row[] = [];
  /** Every so many-th row is taken. */
  #stride = 1;
  #count = 0;
  #last: Row | undefined;
  #columnsLeftOut = 0;

  constructor(rowsMax = 1024) {
    this.#rowsMax = rowsMax;
  }

  get rowCount(): number {
    return this.#count;
  }

  /** Names beyond the bound are left out, and counted. */
  get columnsLeftOut(): number {
    return this.#columnsLeftOut;
  }

  /** `step` tells rows apart; without one, each call is a row of its own. Cells that are undefined are not there. */
  add(step: number | undefined, cells: Iterable<readonly [string, HistoryCell | undefined]>): void {
    const row = this.#rowFor(step);
    if (step !== undefined) this.#set(row, 'step', step);
    for (const [name, value] of cells) if (value !== undefined) this.#set(row, name, value);
  }

  /** Its rows are made when they are asked for: most looks at a running session end without a log. */
  build(): History | undefined {
    if (this.#count === 0 || this.#columns.length === 0) return undefined;
    const kept = this.#rows.slice();
    if (this.#last && kept.at(-1) !== this.#last) kept.push(this.#last);
    const order = this.#columns.map((name, at) => ({ name, at })).sort((a, b) => rank(a.name) - rank(b.name));
    let rows: HistoryCell[][] | undefined;
    return {
      columns: order.map(({ name }) => name),
      get rows() {
        rows ??= kept.map(({ cells }) => order.map(({ at }) => cells[at] ?? null));
        return rows;
      },
      ...(kept.length < this.#count && { thinnedFrom: this.#count }),
    };
  }

  #rowFor(step: number | undefined): Row {
    if (step !== undefined && this.#last?.step === step) return this.#last;
    const row: Row = { step, cells: [] };
    this.#last = row;
    if (this.#count % this.#stride === 0) this.#rows.push(row);
    this.#count += 1;
    if (this.#rows.length > this.#rowsMax) {
      this.#rows = this.#rows.filter((_, at) => at % 2 === 0);
      this.#stride *= 2;
    }
    return row;
  }

  #set(row: Row, name: string, value: HistoryCell): void {
    let at = this.#columns.indexOf(name);
    if (at < 0) {
      if (this.#columns.length >= columnsMax || name.length > nameLengthMax) {
        this.#columnsLeftOut += 1;
        return;
      }
      at = this.#columns.push(name) - 1;
    }
    row.cells[at] = typeof value === 'number' && !Number.isFinite(value) ? null : value;
  }
}

interface Row {
  readonly step: number | undefined;
  readonly cells: (HistoryCell | undefined)[];
}

function rank(name: string): number {
  const at = leading.indexOf(name);
  return at < 0 ? leading.length : at;
}
