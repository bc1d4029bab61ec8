import type { Line } from './bench.ts';

/** A Markdown table, aligned for a terminal too. Columns are those that any line has, in the order in which they come up. */
export function tableOf(row: { title: string; lines: readonly Line[]; notes: readonly string[] }): string {
  const columns = [...new Set(row.lines.flatMap((line) => Object.keys(line)))];
  const cells = row.lines.map((line) => columns.map((column) => String(line[column] ?? '')));
  const widths = columns.map((column, at) =>
    Math.max(column.length, ...cells.map((line) => line[at]?.length ?? 0)),
  );
  const isNumber = columns.map((column) => row.lines.every((line) => typeof line[column] !== 'string'));
  const pad = (text: string, at: number) =>
    isNumber[at] ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0);
  const lineOf = (texts: readonly string[]) => `| ${texts.map(pad).join(' | ')} |`;
  const rule = `| ${widths.map((width, at) => (isNumber[at] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))).join(' | ')} |`;
  return [
    `**${row.title}**`,
    '',
    lineOf(columns),
    rule,
    ...cells.map(lineOf),
    ...row.notes.map((note) => `\n${note}`),
    '',
  ].join('\n');
}
