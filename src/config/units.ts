/** Durations (milliseconds) and sizes (bytes) as people write them: a number and a unit. */

type UnitTable = readonly (readonly [unit: string, factor: number])[];

// Largest first, binary before decimal: printing takes the first that divides.
const durationUnits: UnitTable = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
];
const sizeUnits: UnitTable = [
  ['TiB', 1024 ** 4],
  ['TB', 1000 ** 4],
  ['GiB', 1024 ** 3],
  ['GB', 1000 ** 3],
  ['MiB', 1024 ** 2],
  ['MB', 1000 ** 2],
  ['KiB', 1024],
  ['KB', 1000],
  ['B', 1],
];

/** `2s`, `1m`, `2h`, `7d`, `500ms`, `1.5h`, `0` to whole milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  return parseQuantity(text, (unit) => durationUnits.find(([name]) => name === unit)?.[1]);
}

/** Whole milliseconds in the largest unit that divides them. `parseDuration` reads it back exactly. */
export function printDuration(durationMs: number): string {
  return printQuantity(durationMs, durationUnits, '0s');
}

/** `8MiB`, `10GiB`, `64KiB`, `5MB`, `123B` (letters in either case) to bytes; undefined for anything else. */
export function parseSize(text: string): number | undefined {
  return parseQuantity(
    text,
    (unit) => sizeUnits.find(([name]) => name.toLowerCase() === unit.toLowerCase())?.[1],
  );
}

/** Bytes in the largest unit that divides them. `parseSize` reads it back exactly. */
export function printSize(bytes: number): string {
  return printQuantity(bytes, sizeUnits, '0B');
}

function parseQuantity(text: string, factorOf: (unit: string) => number | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s?([A-Za-z]*)$/.exec(text.trim());
  if (!match) return undefined;
  const [, number = '', unit = ''] = match;
  // Zero is the one quantity that is the same in every unit.
  const factor = unit === '' && Number(number) === 0 ? 1 : factorOf(unit);
  if (factor === undefined) return undefined;
  const quantity = Math.round(Number(number) * factor);
  return Number.isSafeInteger(quantity) ? quantity : undefined;
}

function printQuantity(quantity: number, units: UnitTable, zero: string): string {
  if (quantity === 0) return zero;
  const unit = units.find(([, factor]) => quantity % factor === 0);
  if (!unit) throw new RangeError(`cannot print ${quantity}: not a whole number`);
  return `${quantity / unit[1]}${unit[0]}`;
}
