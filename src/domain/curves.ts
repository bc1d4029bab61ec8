import type { History } from './history.ts';

/** Numbers of a history as lines to draw. Rows lack cells: each line has its own points. */
export interface Curve {
  readonly name: string;
  /** In the order of x. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Curves {
  /** What x counts: `step`, `epoch`, or `row` where the history has neither. */
  readonly x: string;
  readonly curves: readonly Curve[];
}

/** Not what a person follows a training by: clocks, speeds, counters. */
const beside =
  /(^|[_/. ])(time|timestamp|runtime|duration|walltime|_?seconds|second|sec|ms|flos|samples|steps)$|per_second/i;
const isLoss = /loss/i;
const isTraining = /(^|[_/. ])train|^loss$/i;

/** All columns that hold numbers, losses first, the training's before others; at most so many lines. */
export function curvesOf(history: History, curvesMax: number): Curves {
  const { columns, rows } = history;
  const x = ['step', 'epoch'].find((name) => columns.includes(name)) ?? 'row';
  const xAt = columns.indexOf(x);
  const chosen = columns
    .map((name, at) => ({ name, at }))
    .filter(({ name }) => name !== 'step' && name !== 'epoch' && !beside.test(name))
    .sort((a, b) => rank(a.name) - rank(b.name) || a.at - b.at);
  const curves: Curve[] = [];
  for (const { name, at } of chosen) {
    if (curves.length >= curvesMax) break;
    const points = rows.flatMap((row, number) => {
      const [px, py] = [xAt < 0 ? number : row[xAt], row[at]];
      return isNumber(px) && isNumber(py) ? [[px, py] as const] : [];
    });
    if (points.length > 0) curves.push({ name, points: points.sort(([a], [b]) => a - b) });
  }
  return { x, curves };
}

export function isLossCurve({ name }: Pick<Curve, 'name'>): boolean {
  return isLoss.test(name);
}

/** The one line that says most: a loss with at least two points, that of the training if there is one. */
export function lossOf(history: History): Curve | undefined {
  return curvesOf(history, 8).curves.find((curve) => isLossCurve(curve) && curve.points.length > 1);
}

/** First and last point stay, those between are spread evenly over the order. */
export function thinPoints<T>(points: readonly T[], countMax: number): readonly T[] {
  if (points.length <= countMax) return points;
  return Array.from({ length: countMax }, (_, at) => {
    const index = Math.round((at * (points.length - 1)) / (countMax - 1));
    return points[index] as T;
  });
}

function rank(name: string): number {
  return (isLoss.test(name) ? 0 : 2) + (isTraining.test(name) ? 0 : 1);
}

/** What can be drawn: differences of larger ones are no numbers any more. */
const drawnMax = 1e300;

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) < drawnMax;
}
