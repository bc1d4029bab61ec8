import { z } from 'zod';
import { parseDuration, parseSize, printDuration, printSize } from './units.ts';

/** A value in configuration syntax: what YAML holds and what `config print` writes. */
export type Plain =
  | string
  | number
  | boolean
  | readonly string[]
  | { readonly [name: string]: string | number };

/**
 * How one kind of value is written. `schema` reads what YAML gives as well as the text of a variable;
 * `print` gives back what `schema` reads to the same value.
 */
export interface ValueType<T> {
  /** What is accepted, for messages and documentation: `a duration from 1s to 1h, such as 2s`. */
  readonly accepts: string;
  readonly schema: z.ZodType<T>;
  // A method, so that options of different values fit in one table.
  print(value: T): Plain;
}

/** Text as it stands, numbers and booleans as they are written. */
export const scalarText = z
  .union([z.string(), z.number(), z.boolean()])
  .transform((raw) => String(raw).trim());

export function text(accepts: string, pattern: RegExp): ValueType<string> {
  return { accepts, schema: scalarText.pipe(z.string().regex(pattern)), print: (value) => value };
}

/** Text whose check says what is wrong; the check returns undefined for good text. */
export function checkedText(accepts: string, check: (text: string) => string | undefined): ValueType<string> {
  return { accepts, schema: scalarText.superRefine(reporting(check)), print: (value) => value };
}

export function oneOf<const T extends string>(...values: readonly T[]): ValueType<T> {
  return { accepts: values.join(', '), schema: scalarText.pipe(z.enum(values)), print: (value) => value };
}

export function number(minimum: number, maximum: number): ValueType<number> {
  const schema = decimalText.pipe(z.number().min(minimum).max(maximum));
  return { accepts: `a number from ${minimum} to ${maximum}`, schema, print: (value) => value };
}

export function integer(minimum: number, maximum: number): ValueType<number> {
  const schema = decimalText.pipe(z.int().min(minimum).max(maximum));
  return { accepts: `a whole number from ${minimum} to ${maximum}`, schema, print: (value) => value };
}

/** Bounds and example are written with units. The value is in milliseconds. */
export function duration(minimum: string, maximum: string, example: string): ValueType<number> {
  const accepts = `a duration from ${minimum} to ${maximum} with its unit (ms, s, m, h, d), such as ${example}`;
  return { accepts, schema: quantity(parseDuration, minimum, maximum), print: printDuration };
}

/** Bounds and example are written with units. The value is in bytes. */
export function size(minimum: string, maximum: string, example: string): ValueType<number> {
  const accepts = `a size from ${minimum} to ${maximum} with its unit (B, KiB, MiB, GiB, TiB, KB, MB, …), such as ${example}`;
  return { accepts, schema: quantity(parseSize, minimum, maximum), print: printSize };
}

/** `true`, `false` or `auto`. */
export function autoOrBoolean(): ValueType<'auto' | boolean> {
  const schema = scalarText
    .pipe(z.enum(['auto', 'true', 'false']))
    .transform((value) => (value === 'auto' ? value : value === 'true'));
  return { accepts: 'auto, true, false', schema, print: (value) => value };
}

export function autoOr<T>(type: ValueType<T>): ValueType<'auto' | T> {
  return {
    accepts: `auto, or ${type.accepts}`,
    schema: z.union([scalarText.pipe(z.literal('auto')), type.schema]),
    print: (value) => (value === 'auto' ? 'auto' : type.print(value)),
  };
}

/** `never` is undefined. */
export function neverOr<T>(type: ValueType<T>): ValueType<T | undefined> {
  return {
    accepts: `never, or ${type.accepts}`,
    schema: z.union([scalarText.pipe(z.literal('never')).transform(() => undefined), type.schema]),
    print: (value) => (value === undefined ? 'never' : type.print(value)),
  };
}

/** A list: in YAML a sequence, in a variable separated by commas (those in braces do not separate). */
export function list(
  accepts: string,
  check: (item: string) => string | undefined,
): ValueType<readonly string[]> {
  const items = z.array(scalarText.superRefine(reporting(check)));
  const schema = z.preprocess((raw) => (typeof raw === 'string' ? splitList(raw) : raw), items);
  return { accepts, schema, print: (value) => value };
}

/** A map: in YAML a mapping, in a variable `a=b,c=d`. `entries` describes the values. */
export function map<T extends { readonly [name: string]: string | number | undefined }>(
  accepts: string,
  entries: z.ZodType<T>,
): ValueType<T> {
  return {
    accepts,
    schema: z.preprocess((raw, context) => (typeof raw === 'string' ? splitMap(raw, context) : raw), entries),
    print: (value) =>
      Object.fromEntries(
        Object.entries(value).flatMap(([name, held]) => (held === undefined ? [] : [[name, held]])),
      ),
  };
}

const decimalText = scalarText.pipe(z.string().regex(/^\d+(\.\d+)?$/)).transform(Number);

function quantity(parse: (text: string) => number | undefined, minimum: string, maximum: string) {
  const [low, high] = [parse(minimum) ?? Number.NaN, parse(maximum) ?? Number.NaN];
  return scalarText.transform((raw, context) => {
    const value = parse(raw);
    if (value !== undefined && value >= low && value <= high) return value;
    context.addIssue({ code: 'custom', message: missingUnit(raw, value) });
    return z.NEVER;
  });
}

function missingUnit(raw: string, value: number | undefined): string {
  if (value !== undefined) return 'out of bounds';
  return /^\d+(\.\d+)?$/.test(raw) ? 'the unit is missing' : '';
}

function reporting(check: (text: string) => string | undefined) {
  return (value: string, context: z.RefinementCtx): void => {
    const message = check(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  };
}

function splitList(raw: string): string[] {
  const items: string[] = [];
  let depth = 0;
  let item = '';
  for (const character of raw) {
    if ('{(['.includes(character)) depth += 1;
    if ('})]'.includes(character)) depth -= 1;
    if (character === ',' && depth <= 0) {
      items.push(item);
      item = '';
    } else item += character;
  }
  return [...items, item].map((part) => part.trim()).filter((part) => part !== '');
}

function splitMap(raw: string, context: z.RefinementCtx): Record<string, string> {
  const entries = splitList(raw).map((pair): [string, string] => {
    const equals = pair.indexOf('=');
    if (equals < 1)
      context.addIssue({ code: 'custom', message: `${JSON.stringify(pair)} is not name=value` });
    return [pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()];
  });
  return Object.fromEntries(entries);
}
