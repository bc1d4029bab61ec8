import type { Curve } from '../domain/curves.ts';

const rows = 10;
const labelColumns = 10;
/** Of 80, less the labels and the frame. */
const columns = 66;

/**
 * A curve in characters: for each column of the plot the mean of the values that fall into it. A gap of the values is a
 * gap of the plot.
 *
 *       2.31 |*
 *            | ***
 *       0.41 |    **********
 *            +---------------
 *             0          3100  step
 */
export function textPlot({ points }: Curve, xName: string): readonly string[] {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return [];
  const means = meansByColumn(points, first[0], last[0]);
  const values = means.filter((mean) => mean !== undefined);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const rowOf = (value: number) =>
    high === low ? 0 : Math.round(((high - value) / (high - low)) * (rows - 1));
  const height = high === low ? 1 : rows;
  const lines = Array.from({ length: height }, (_, row) => {
    const marks = means.map((mean) => (mean !== undefined && rowOf(mean) === row ? '*' : ' ')).join('');
    const label = row === 0 ? number(high) : row === height - 1 ? number(low) : '';
    return `${label.padStart(labelColumns)} |${marks}`.trimEnd();
  });
  const [from, to] = [number(first[0]), number(last[0])];
  const indent = ' '.repeat(labelColumns + 1);
  const gap = Math.max(1, columns - from.length - to.length);
  return [
    ...lines,
    `${indent}+${'-'.repeat(columns)}`,
    `${indent} ${from}${' '.repeat(gap)}${to}`,
    `${indent} ${xName}`,
  ];
}

function meansByColumn(points: Curve['points'], from: number, to: number): (number | undefined)[] {
  const sums = Array.from({ length: columns }, () => ({ sum: 0, count: 0 }));
  for (const [x, y] of points) {
    const at = to === from ? 0 : Math.round(((x - from) / (to - from)) * (columns - 1));
    const column = sums[at];
    if (column === undefined) continue;
    column.sum += y;
    column.count += 1;
  }
  return sums.map(({ sum, count }) => (count === 0 ? undefined : sum / count));
}

function number(value: number): string {
  return String(Number(value.toPrecision(4)));
}
