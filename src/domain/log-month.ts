import { sessionLogKey } from './object-key.ts';

/** A month of the keys, `2026-11`: that of a session's start, in UTC. */
export type Month = string;

/** No start before this is believed, so no key names an earlier month. */
const earliest: Month = '2015-01';

export function monthOf(ms: number | Date): Month {
  return new Date(ms).toISOString().slice(0, 7);
}

/** Every month that a session may have begun in, newest first; `fromMs` is the latest moment that is believed. */
export function monthsBack(fromMs: number): readonly Month[] {
  const from = new Date(fromMs);
  const months: Month[] = [];
  for (let back = 0; months.at(-1) !== earliest; back += 1) {
    const month = monthOf(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() - back, 1));
    if (month < earliest) break;
    months.push(month);
  }
  return months;
}

/** Generated ids name their start: `run-20261128T190800Z-3fa2c1`. */
export function monthInId(id: string): Month | undefined {
  const [, year, month] = /(?:^|-)(\d{4})(0[1-9]|1[0-2])\d{2}T\d{6}Z-[0-9a-f]{6}$/.exec(id) ?? [];
  return year === undefined ? undefined : `${year}-${month}`;
}

/** Where logs are listed: all keys that begin with `prefix`, flat where no log lies deeper. */
export interface LogPlace {
  readonly prefix: string;
  readonly isFlat: boolean;
  /** Of whose sessions a log may lie here; more than one where the prefix does not tell. */
  readonly months: readonly Month[];
}

/** The places of these months, in their order: one a month, fewer where the template has its month late or not at all. */
export function logPlaces(template: string, months: readonly Month[]): readonly LogPlace[] {
  const id = '{session-id}';
  const places = new Map<string, { prefix: string; isFlat: boolean; months: Month[] }>();
  for (const month of months) {
    const key = sessionLogKey(template, startOf(month), id);
    const at = key.indexOf(id);
    const prefix = key.slice(0, at);
    const place = places.get(prefix) ?? { prefix, isFlat: !key.slice(at).includes('/'), months: [] };
    place.months.push(month);
    places.set(prefix, place);
  }
  return [...places.values()];
}

/** Keys at which the log of this session may lie, likely ones first. */
export function logKeysOf(template: string, months: readonly Month[], id: string): readonly string[] {
  const named = monthInId(id);
  const ordered = named === undefined ? months : [named, ...months];
  return [...new Set(ordered.map((month) => sessionLogKey(template, startOf(month), id)))];
}

export interface ReadKey {
  readonly id: string;
  /** Where the template has both. */
  readonly month?: Month;
}

const patterns: Readonly<Record<string, string>> = {
  year: '\\d{4}',
  month: '0[1-9]|1[0-2]',
  'session-id': '[A-Za-z0-9][A-Za-z0-9._-]{0,127}',
};

/** What a key tells of the log at it; undefined for keys of other things. */
export function logKeyReader(template: string): (key: string) => ReadKey | undefined {
  const seen = new Set<string>();
  const pieces = template.split(/(\{(?:year|month|session-id)\})/).map((piece) => {
    const name = piece.slice(1, -1);
    const pattern = piece.startsWith('{') ? patterns[name] : undefined;
    if (pattern === undefined) return piece.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    const group = name === 'session-id' ? 'id' : name;
    if (seen.has(group)) return `\\k<${group}>`;
    seen.add(group);
    return `(?<${group}>${pattern})`;
  });
  const whole = new RegExp(`^${pieces.join('')}$`);
  return (key) => {
    const { id, year, month } = whole.exec(key)?.groups ?? {};
    if (id === undefined) return undefined;
    return { id, ...(year !== undefined && month !== undefined && { month: `${year}-${month}` }) };
  };
}

function startOf(month: Month): number {
  return Date.parse(`${month}-01T00:00:00Z`);
}
