import type { JsonValue } from '../../domain/json.ts';

export interface ReadTime {
  /** RFC 3339 in UTC, milliseconds. */
  readonly iso: string;
  /** What had to be assumed. */
  readonly assumed?: string;
}

const written =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,12}))? ?(?:([Zz])|([+-])(\d\d):?(\d\d))?$/;

/**
 * A time as trainers write it: RFC 3339 with any offset; the same without one, taken as UTC (Python's `isoformat()` of a
 * naive time; containers run in UTC); Unix time as a number, whose size tells seconds from milliseconds for every year
 * from 1973 to 5138. Undefined for anything else, and for dates that do not exist.
 */
export function readTime(value: JsonValue): ReadTime | undefined {
  if (typeof value === 'number') return readUnixTime(value);
  if (typeof value !== 'string' || value.length > 64) return undefined;
  const match = written.exec(value.trim());
  if (match === null) return undefined;
  const [
    ,
    year,
    month,
    day,
    hour,
    minute,
    second,
    fraction = '',
    zulu,
    sign,
    offsetHour = '0',
    offsetMinute = '0',
  ] = match;
  const ms = Math.trunc(Number(`0.${fraction || '0'}`) * 1000);
  const date = [Number(year), Number(month), Number(day)] as const;
  const time = [Number(hour), Number(minute), Number(second)] as const;
  if (!exists(date, time) || Number(offsetHour) > 23 || Number(offsetMinute) > 59) return undefined;
  const offsetMs = (Number(offsetHour) * 60 + Number(offsetMinute)) * (sign === '-' ? -60_000 : 60_000);
  const iso = isoOf(utc(date, time) + ms - offsetMs);
  if (iso === undefined) return undefined;
  return zulu || sign ? { iso } : { iso, assumed: 'has no offset, read as UTC' };
}

function readUnixTime(value: number): ReadTime | undefined {
  const ms = value >= 1e8 && value < 1e11 ? value * 1000 : value >= 1e11 && value < 1e14 ? value : undefined;
  const iso = ms === undefined ? undefined : isoOf(Math.trunc(ms));
  return iso === undefined ? undefined : { iso };
}

type Triple = readonly [number, number, number];

function exists([year, month, day]: Triple, [hour, minute, second]: Triple): boolean {
  // 60: a leap second, which becomes the next second.
  if (hour > 23 || minute > 59 || second > 60) return false;
  const date = new Date(utc([year, month, day], [0, 0, 0]));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** Unlike Date.UTC, does not take the years 0 to 99 for 1900 to 1999. */
function utc([year, month, day]: Triple, [hour, minute, second]: Triple): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.setUTCHours(hour, minute, second);
}

function isoOf(ms: number): string | undefined {
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return undefined;
  const iso = new Date(ms).toISOString();
  return iso.length === 24 ? iso : undefined;
}
