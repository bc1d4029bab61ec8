import type { HistoryCell } from '../../domain/history.ts';
import type { Follower } from '../reader.ts';
import { GrowingText } from './growing-text.ts';

const recordLengthMax = 256 * 1024;
const linesPerRecordMax = 16;
const columnsMax = 1024;
const textLengthMax = 256;

export interface CsvSink {
  /** The first line, and any later line that begins with the same name: runs written one after the other into one file. */
  header?(names: readonly string[], isFirst: boolean): void;
  /** Cells in the order of the names; undefined where nothing stands. NaN and infinities are null. */
  row(cells: readonly (HistoryCell | undefined)[], names: readonly string[]): void;
}

/**
 * A growing CSV file (RFC 4180: quotes, doubled quotes, CRLF or LF), row by row; the first line names the columns. Blanks
 * around a cell are no part of it. A line without an end waits. What is too long to be true is left out and counted.
 */
export class CsvFollower implements Follower {
  readonly #sink: CsvSink;
  readonly #text = new GrowingText();
  /** An unfinished line. */
  #pending = '';
  #isOverlong = false;
  /** Lines of a record whose quote is still open. */
  #open: string[] = [];
  #names: readonly string[] | undefined;
  #rowCount = 0;
  readonly #damage = { overlong: 0, unclosed: 0, surplus: 0, columns: 0, notFinite: 0 };

  constructor(sink: CsvSink) {
    this.#sink = sink;
  }

  get names(): readonly string[] | undefined {
    return this.#names;
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  warnings(): string[] {
    const { overlong, unclosed, surplus, columns, notFinite } = this.#damage;
    const counted: [number, string][] = [
      [overlong, `lines of more than ${recordLengthMax} characters left out`],
      [unclosed, 'rows left out for a quote that is not closed'],
      [surplus, 'rows with more cells than the header has names'],
      [columns, `columns beyond ${columnsMax} left out`],
      [notFinite, 'NaN or Infinity read as null'],
    ];
    return counted.flatMap(([count, text]) => (count > 0 ? [`${text}: ${count}`] : []));
  }

  push(bytes: Buffer): void {
    const text = this.#text.write(bytes);
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      this.#extend(text.slice(from, end));
      this.#endLine();
      from = end + 1;
    }
    this.#extend(text.slice(from));
  }

  #extend(piece: string): void {
    if (this.#isOverlong || piece === '') return;
    this.#pending += piece;
    if (this.#pending.length <= recordLengthMax) return;
    this.#isOverlong = true;
    this.#pending = '';
  }

  #endLine(): void {
    const line = this.#pending;
    const wasOverlong = this.#isOverlong;
    this.#pending = '';
    this.#isOverlong = false;
    if (wasOverlong) this.#drop('overlong');
    else this.#take(line.endsWith('\r') ? line.slice(0, -1) : line);
  }

  #take(line: string): void {
    if (this.#open.length === 0 && !line.includes('"')) {
      if (line.trim() !== '') this.#record(line.split(',', columnsMax + 1));
      return;
    }
    this.#open.push(line);
    const record = this.#open.join('\n');
    if (hasEvenQuotes(record)) {
      this.#open = [];
      this.#record(splitQuoted(record));
    } else if (this.#open.length >= linesPerRecordMax || record.length > recordLengthMax) {
      this.#drop('unclosed');
    }
  }

  #drop(why: 'overlong' | 'unclosed'): void {
    this.#damage[why] += 1;
    this.#open = [];
  }

  #record(found: readonly string[]): void {
    const texts = found.slice(0, columnsMax).map((cell) => cell.trim());
    if (this.#names === undefined || isHeaderAgain(texts, this.#names)) {
      this.#damage.columns += found.length > columnsMax ? 1 : 0;
      const isFirst = this.#names === undefined;
      this.#names = texts;
      this.#sink.header?.(texts, isFirst);
      return;
    }
    if (texts.length > this.#names.length) this.#damage.surplus += 1;
    const cells = texts.slice(0, this.#names.length).map((text) => this.#cell(text));
    this.#rowCount += 1;
    this.#sink.row(cells, this.#names);
  }

  #cell(text: string): HistoryCell | undefined {
    if (text === '') return undefined;
    const number = Number(text);
    if (Number.isFinite(number)) return number;
    if (!/^[+-]?(?:nan|inf|infinity)$/i.test(text)) return text.slice(0, textLengthMax);
    this.#damage.notFinite += 1;
    return null;
  }
}

function isHeaderAgain(cells: readonly string[], names: readonly string[]): boolean {
  const [first = ''] = cells;
  return first !== '' && first === names[0] && !Number.isFinite(Number(first));
}

function hasEvenQuotes(text: string): boolean {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count += 1;
  return count % 2 === 0;
}

/** A quote opens only at the start of a cell; elsewhere it is a character like any other. */
function splitQuoted(record: string): string[] {
  const cells: string[] = [];
  let at = 0;
  while (at <= record.length && cells.length <= columnsMax) {
    const start = skipBlanks(record, at);
    if (record[start] !== '"') {
      const end = endOf(record, at);
      cells.push(record.slice(at, end));
      at = end + 1;
      continue;
    }
    let close = record.indexOf('"', start + 1);
    while (close >= 0 && record[close + 1] === '"') close = record.indexOf('"', close + 2);
    const last = close < 0 ? record.length : close;
    cells.push(record.slice(start + 1, last).replaceAll('""', '"'));
    at = endOf(record, last) + 1;
  }
  return cells;
}

function skipBlanks(record: string, from: number): number {
  let at = from;
  while (record[at] === ' ' || record[at] === '\t') at += 1;
  return at;
}

function endOf(record: string, from: number): number {
  const comma = record.indexOf(',', from);
  return comma < 0 ? record.length : comma;
}
