/**
 * What `nvidia-smi --query-gpu=… --format=csv` writes (nvidia-smi(1), "SELECTIVE QUERY OPTIONS"): a header of the fields
 * that were asked for, in that order, with units (`memory.used [MiB]`), then a line for each GPU. Cells are separated by
 * a comma and a space and are never quoted; they have units too (`841 MiB`) unless `nounits` was asked for. In a loop
 * some versions write the header again for each round, and a log that was appended to has one for each start.
 */

export interface SmiColumn {
  /** `memory.used` */
  readonly name: string;
  /** `MiB`, `%`, `W`; empty for names and indexes. */
  readonly unit: string;
}

/** By the column's name, without its unit. What the GPU does not know (`[N/A]`, `[Not Supported]`) is left out. */
export type SmiRow = ReadonlyMap<string, string>;

const lineCharactersMax = 8 * 1024;
const columnsMax = 128;
const rowsMax = 4096;

/** Field names are lower case with dots; what they are called in `--help-query-gpu`. */
const column = /^([a-z][a-z0-9_.]{0,63})(?: \[([^\]]{1,16})\])?$/;
const telling =
  /^(?:name|gpu_name|uuid|gpu_uuid|index|timestamp|utilization\.|memory\.|temperature\.|power\.|clocks\.|pci\.)/;

/** Undefined when the line is no header: a line of cells, or another program's. */
export function smiHeader(line: string): readonly SmiColumn[] | undefined {
  if (line.length > lineCharactersMax) return undefined;
  const columns: SmiColumn[] = [];
  for (const cell of cellsOf(line)) {
    const [, name, unit = ''] = column.exec(cell) ?? [];
    if (name === undefined) return undefined;
    columns.push({ name, unit });
  }
  return columns.some(({ name }) => telling.test(name)) ? columns : undefined;
}

/** Undefined when the line is cut, or not one of these columns. */
export function smiRow(columns: readonly SmiColumn[], line: string): SmiRow | undefined {
  if (line.length > lineCharactersMax) return undefined;
  const cells = cellsOf(line);
  if (cells.length !== columns.length) return undefined;
  const row = new Map<string, string>();
  columns.forEach(({ name, unit }, at) => {
    const cell = withoutUnit(cells[at] ?? '', unit);
    if (cell !== '' && !/^\[.*\]$|^N\/A$/.test(cell)) row.set(name, cell);
  });
  return row;
}

/** All rows of a text; each header holds for the lines below it. */
export function parseSmiCsv(text: string): readonly SmiRow[] {
  const rows: SmiRow[] = [];
  let columns: readonly SmiColumn[] | undefined;
  for (const line of text.split(/\r?\n/, 4 * rowsMax)) {
    const header = smiHeader(line);
    if (header) {
      columns = header;
      continue;
    }
    const row = columns && smiRow(columns, line);
    if (row) rows.push(row);
    if (rows.length === rowsMax) break;
  }
  return rows;
}

function cellsOf(line: string): string[] {
  return line.split(',', columnsMax + 1).map((cell) => cell.trim());
}

function withoutUnit(cell: string, unit: string): string {
  return unit !== '' && cell.endsWith(` ${unit}`) ? cell.slice(0, -unit.length - 1).trimEnd() : cell;
}
