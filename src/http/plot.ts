import { type Curve, thinPoints } from '../domain/curves.ts';
import { type Html, html } from './escape.ts';
import { fixed } from './sparkline.ts';
import { logTicks, ticks } from './ticks.ts';
import { nameHtml, numberText, shortNumber } from './words.ts';

export interface PlotSize {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly bottom: number;
  /** About so many lines across. */
  readonly lines: number;
}

export const largePlot: PlotSize = { width: 680, height: 290, left: 60, bottom: 30, lines: 5 };
export const smallPlot: PlotSize = { width: 280, height: 130, left: 46, bottom: 24, lines: 3 };
const topAndRight = 10;
const pointsMax = 400;

interface Axis {
  readonly at: (value: number) => number;
  readonly marks: readonly number[];
}

/** Lines over steps. For those who do not see it: a title, a summary of each line, and the table that `valuesTable` makes. */
export function plot(curves: readonly Curve[], x: string, size: PlotSize, id: string): Html {
  const points = curves.flatMap((curve) => curve.points);
  const xs = extent(points.map(([px]) => px));
  const ys = extent(points.map(([, py]) => py));
  const isLog = ys.least > 0 && ys.most / ys.least > 50;
  const across = linear(xs, size.left, size.width - topAndRight, Math.max(2, Math.round(size.width / 110)));
  const bottom = size.height - size.bottom;
  const up = isLog ? logarithmic(ys, bottom, topAndRight) : linear(ys, bottom, topAndRight, size.lines);
  const title = `${curves.map(({ name }) => name).join(', ')} by ${x}${isLog ? ', logarithmic scale' : ''}`;
  return html`<svg class="plot" role="img" aria-labelledby="${id}-title ${id}-desc" viewBox="0 0 ${size.width} ${size.height}">
<title id="${id}-title">${title}</title>
<desc id="${id}-desc">${curves.map((curve) => `${summary(curve)} `)}</desc>
<g class="grid">${up.marks.map((mark) => html`<line x1="${size.left}" x2="${size.width - topAndRight}" y1="${fixed(up.at(mark))}" y2="${fixed(up.at(mark))}"/>`)}</g>
<g class="axis">${up.marks.map((mark) => html`<text x="${size.left - 8}" y="${fixed(up.at(mark) + 4)}" text-anchor="end">${tickText(mark)}</text>`)}
${across.marks.map((mark) => html`<text x="${fixed(across.at(mark))}" y="${bottom + 18}" text-anchor="middle">${tickText(mark)}</text>`)}</g>
${curves.map((curve, at) => line(curve, at, across, up))}
</svg>`;
}

export function legend(curves: readonly Curve[], x: string): Html {
  return html`<ul class="legend">${curves.map(({ name }, at) => html`<li><svg class="key" aria-hidden="true" viewBox="0 0 24 8" width="24" height="8"><line class="s${at}" x1="1" x2="23" y1="4" y2="4"/></svg>${nameHtml(name)}</li>`)}<li class="x">by ${x}</li></ul>`;
}

export function valuesTable(curves: readonly Curve[]): Html {
  return html`<table class="values"><thead><tr><th scope="col">Value</th><th scope="col" class="num">First</th><th scope="col" class="num">Least</th><th scope="col" class="num">Last</th></tr></thead>
<tbody>${curves.map(({ name, points }) => {
    const ys = extent(points.map(([, py]) => py));
    const [last, first] = [points.at(-1), points[0]];
    return html`<tr><th scope="row">${nameHtml(name)}</th><td class="num">${numberText(first?.[1] ?? Number.NaN)}</td><td class="num">${numberText(ys.least)}</td><td class="num">${numberText(last?.[1] ?? Number.NaN)}</td></tr>`;
  })}</tbody></table>`;
}

function line({ points }: Curve, at: number, across: Axis, up: Axis): Html {
  const thinned = thinPoints(points, pointsMax);
  const [only] = thinned;
  if (thinned.length === 1 && only)
    return html`<circle class="s${at}" cx="${fixed(across.at(only[0]))}" cy="${fixed(up.at(only[1]))}" r="4"/>`;
  const places = thinned.map(([px, py]) => `${fixed(across.at(px))},${fixed(up.at(py))}`);
  return html`<polyline class="s${at}" points="${places.join(' ')}"/>`;
}

function summary({ name, points }: Curve): string {
  const { least } = extent(points.map(([, py]) => py));
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return `${name}: no values.`;
  return `${name}: from ${numberText(first[1])} to ${numberText(last[1])} over ${points.length} points, least ${numberText(least)}.`;
}

interface Extent {
  readonly least: number;
  readonly most: number;
}

function extent(values: readonly number[]): Extent {
  return values.reduce<Extent>(
    ({ least, most }, value) => ({ least: Math.min(least, value), most: Math.max(most, value) }),
    { least: Number.POSITIVE_INFINITY, most: Number.NEGATIVE_INFINITY },
  );
}

/** What is flat or a single point gets room around it. */
function linear({ least, most }: Extent, from: number, to: number, count: number): Axis {
  const pad = most > least ? 0 : Math.abs(least) || 1;
  const [low, high] = [least - pad, most + pad];
  const at = (value: number) => from + ((value - low) / (high - low)) * (to - from);
  return { at, marks: ticks(low, high, count) };
}

function logarithmic({ least, most }: Extent, from: number, to: number): Axis {
  const [low, high] = [Math.log10(least), Math.log10(most)];
  const at = (value: number) => from + ((Math.log10(value) - low) / (high - low)) * (to - from);
  return { at, marks: logTicks(least, most) };
}

function tickText(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return shortNumber(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return shortNumber(value);
}
