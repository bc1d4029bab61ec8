import type { History } from '../../domain/history.ts';
import { isJsonObject } from '../../domain/json.ts';
import { type Follower, UnreadableFile } from '../reader.ts';
import { HistoryBuilder } from './history-builder.ts';
import { parseLenientJson } from './lenient-json.ts';
import { LineSplitter } from './line-splitter.ts';

const metricsMax = 64;

/**
 * torchtune's DiskLogger (torchtune/training/metric_logging.py): `log_<unix>.txt` with `Step 3 | loss:1.6 lr:0.0003 `, or
 * `.jsonl` with one object a step.
 */
export class TorchtuneLog implements Follower {
  readonly #history = new HistoryBuilder();
  readonly #last = new Map<string, number | null>();
  readonly #lines = new LineSplitter((line) => this.#take(line));
  #rows = 0;
  #unreadable = 0;
  #lastStep: number | undefined;

  push(bytes: Buffer): void {
    this.#lines.push(bytes);
  }

  get rowCount(): number {
    return this.#rows;
  }
  get lastStep(): number | undefined {
    return this.#lastStep;
  }
  get lastValues(): Readonly<Record<string, number | null>> {
    return Object.fromEntries(this.#last);
  }
  get history(): History | undefined {
    return this.#history.build();
  }
  warnings(): string[] {
    return this.#unreadable > 0 ? [`lines that are no step left out: ${this.#unreadable}`] : [];
  }

  #take(line: string): void {
    if (line.trim() === '') return;
    const row = line.startsWith('{') ? readJson(line) : readText(line);
    if (!row) {
      this.#unreadable += 1;
      return;
    }
    this.#rows += 1;
    this.#lastStep = row.step;
    this.#history.add(row.step, row.cells);
    for (const [name, value] of row.cells) {
      if (value !== null && (this.#last.has(name) || this.#last.size < metricsMax))
        this.#last.set(name, value);
    }
  }
}

interface Row {
  readonly step: number;
  readonly cells: readonly (readonly [string, number | null])[];
}

export function readTorchtuneLine(line: string): Row | undefined {
  return line.startsWith('{') ? readJson(line) : readText(line);
}

function readText(line: string): Row | undefined {
  const match = /^Step (\d{1,15}) \| (.{1,8192})$/.exec(line.trimEnd());
  if (!match) return undefined;
  const cells: [string, number | null][] = [];
  for (const pair of (match[2] ?? '').split(' ').slice(0, 256)) {
    const colon = pair.lastIndexOf(':');
    const name = pair.slice(0, colon);
    const value = pair.slice(colon + 1);
    if (colon < 1 || name === '__proto__' || !isNumber(value)) continue;
    cells.push([name, finite(Number(value))]);
  }
  return cells.length > 0 ? { step: Number(match[1]), cells } : undefined;
}

function isNumber(text: string): boolean {
  return /^[-+]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][-+]?\d{1,4})?$|^[-+]?(?:nan|inf)$/.test(text);
}

function readJson(line: string): Row | undefined {
  const record = tryJson(line);
  if (!isJsonObject(record)) return undefined;
  const { step, ...values } = record;
  if (typeof step !== 'number' || !Number.isSafeInteger(step) || step < 0) return undefined;
  const cells = Object.entries(values).flatMap(([name, value]): [string, number | null][] =>
    (typeof value === 'number' || value === null) && name !== '__proto__' ? [[name, value]] : [],
  );
  return { step, cells };
}

function tryJson(line: string) {
  try {
    return parseLenientJson(Buffer.from(line)).value;
  } catch (error) {
    if (error instanceof UnreadableFile) return undefined;
    throw error;
  }
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
