import { type Html, html } from './escape.ts';

/** Numbers and times as people read them; a dash for what is not known. */

export const unknown = '–';
const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

export function bytesText(bytes: number | undefined): string {
  if (bytes === undefined || !Number.isFinite(bytes)) return unknown;
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 1000 ? Math.round(value) : value.toPrecision(3)} ${units[unit]}`;
}

/** Two units at most: `2 d 4 h`, `3 min 20 s`, `0.4 s`. */
export function durationText(seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds) || seconds < 0) return unknown;
  if (seconds < 10 && seconds > 0) return `${Number(seconds.toPrecision(2))} s`;
  const whole = Math.round(seconds);
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ');
}

/** One unit: what a glance needs. */
export function agoText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s ago`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ago`;
  if (whole < 172_800) return `${Math.floor(whole / 3600)} h ago`;
  return `${Math.floor(whole / 86_400)} d ago`;
}

export function countText(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1 file`, `2 files`. */
export function counted(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Four digits that count, so that columns of them line up. */
export function numberText(value: number): string {
  const size = Math.abs(value);
  if (Number.isInteger(value) || !(size >= 1e-3 && size < 1e4)) return shortNumber(value);
  return value.toPrecision(4);
}

/** The same without zeros at the end. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return unknown;
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2).replace(/\.?0*e\+?/, 'e');
  return String(Number(value.toPrecision(4)));
}

/** In UTC to the minute; the whole moment is in the attribute. */
export function timeHtml(ms: number | undefined): Html {
  const date = new Date(ms ?? Number.NaN);
  if (Number.isNaN(date.getTime())) return html`${unknown}`;
  const text = date.toISOString();
  return html`<time datetime="${text}">${text.slice(0, 10)} ${text.slice(11, 16)}</time>`;
}

/** A name that somebody else chose: it keeps its own direction. */
export function nameHtml(name: string): Html {
  return html`<bdi>${name}</bdi>`;
}
