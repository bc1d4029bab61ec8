import { type Html, html } from './escape.ts';
import { numberText } from './words.ts';

const size = { width: 96, height: 24, margin: 2 };

/** A line the height of a row: how a loss went, told in words as well. */
export function sparkline(loss: { name: string; values: readonly number[] } | undefined): Html | undefined {
  const values = loss?.values.filter((value) => Number.isFinite(value)) ?? [];
  const [first] = values;
  const last = values.at(-1);
  if (!loss || first === undefined || last === undefined || values.length < 2) return undefined;
  const least = Math.min(...values);
  const range = Math.max(...values) - least;
  const x = (at: number) => size.margin + (at * (size.width - 2 * size.margin)) / (values.length - 1);
  // A line that is flat runs through the middle.
  const share = (value: number) => (range > 0 ? (value - least) / range : 0.5);
  const y = (value: number) => size.height - size.margin - share(value) * (size.height - 2 * size.margin);
  const points = values.map((value, at) => `${fixed(x(at))},${fixed(y(value))}`).join(' ');
  const words = `${loss.name}: from ${numberText(first)} to ${numberText(last)}, least ${numberText(least)}`;
  return html`<svg class="spark" role="img" aria-label="${words}" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}"><polyline points="${points}"/><circle cx="${fixed(x(values.length - 1))}" cy="${fixed(y(last))}" r="2"/></svg>`;
}

export function fixed(value: number): string {
  return String(Math.round(value * 100) / 100);
}
