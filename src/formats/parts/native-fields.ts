import type { Facts, Provenance } from '../../domain/facts.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../../domain/json.ts';
import type { CheckpointEntry } from '../../domain/session-log.ts';
import { withoutProto } from './config-fields.ts';
import { readTime } from './read-time.ts';

/**
 * The fields of session.json and result.json, each with what it accepts. A field of another kind is dropped with a
 * warning; one that is null says nothing. What is dropped is still in the document, which the log keeps whole.
 */

const textLengthMax = 4096;

export class FieldNotes {
  readonly provenance: Provenance = {};
  readonly warnings: string[] = [];
  readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  took(path: string): void {
    this.provenance[path] = this.file;
  }

  warn(field: string, text: string): void {
    this.warnings.push(`${this.file}: ${field} ${text}`);
  }
}

/** Gives the value to keep, or what was expected instead. */
type Accept<T> = (value: JsonValue, note: (text: string) => void) => { value: T } | { expected: string };

const text: Accept<string> = (value, note) => {
  const found = typeof value === 'number' ? String(value) : value;
  if (typeof found !== 'string' || found === '') return { expected: 'a text' };
  if (found.length <= textLengthMax) return { value: found };
  note(`is ${found.length} characters long, cut at ${textLengthMax}`);
  return { value: found.slice(0, textLengthMax).toWellFormed() };
};

const time: Accept<string> = (value, note) => {
  const read = readTime(value);
  if (read === undefined) return { expected: 'a time like 2026-01-31T12:00:00Z' };
  if (read.assumed) note(read.assumed);
  return { value: read.iso };
};

const wholeNumber = (minimum: number, expected: string): Accept<number> => {
  return (value) => {
    const number = toNumber(value);
    return number !== undefined && Number.isSafeInteger(number) && number >= minimum
      ? { value: number }
      : { expected };
  };
};

const amount: Accept<number> = (value) => {
  const number = toNumber(value);
  return number !== undefined && number >= 0 && number <= Number.MAX_SAFE_INTEGER
    ? { value: number }
    : { expected: 'a number from 0' };
};

/** `"2e-5"`: what YAML makes of a number written like that. */
function toNumber(value: JsonValue): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || !/^\s{0,8}[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s{0,8}$/.test(value)) {
    return undefined;
  }
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

const object: Accept<JsonObject> = (value) =>
  isJsonObject(value) ? { value: withoutProto(value) } : { expected: 'an object' };

const errorText: Accept<string> = (value, note) => {
  const found = isJsonObject(value) && typeof value['message'] === 'string' ? value['message'] : value;
  return text(found, note);
};

const count = wholeNumber(0, 'a whole number from 0');
const user = { username: text, sessionStartedAt: time };
const pod = {
  id: text,
  provider: text,
  gpuType: text,
  gpuCount: wholeNumber(1, 'a whole number from 1'),
  costPerHour: amount,
  currency: text,
};
const config = {
  epochs: amount,
  batchSize: amount,
  learningRate: amount,
  maxSteps: count,
  seed: wholeNumber(Number.MIN_SAFE_INTEGER, 'a whole number'),
  model: text,
  dataset: text,
};

type Fields = Record<string, Accept<unknown>>;
type Taken<F extends Fields> = { [Name in keyof F]?: F[Name] extends Accept<infer T> ? T : never };

export function sessionFacts(document: JsonObject, notes: FieldNotes): Facts {
  const facts: Facts = take({ id: text, version: text, startedAt: time }, document, '', 'session.', notes);
  const sections = take({ user: object, pod: object, config: object }, document, '', undefined, notes);
  if (sections.user) facts.user = take(user, sections.user, 'user.', 'user.', notes);
  if (sections.pod) facts.pod = take(pod, sections.pod, 'pod.', 'pod.', notes);
  if (sections.config) {
    facts.config = { ...take(config, sections.config, 'config.', 'config.', notes), raw: sections.config };
    notes.took('config.raw');
  }
  return facts;
}

export function resultFacts(document: JsonObject, notes: FieldNotes): Facts {
  const facts: Facts = take({ endedAt: time }, document, '', 'session.', notes);
  const fields = {
    durationSeconds: amount,
    checkpointsSaved: checkpointsOf(notes),
    metrics: object,
    error: errorText,
  };
  const results = take(fields, document, '', 'results.', notes);
  if (results.checkpointsSaved?.length === 0) delete results.checkpointsSaved;
  if (Object.keys(results).length > 0) facts.results = results;
  return facts;
}

function take<F extends Fields>(
  fields: F,
  from: JsonObject,
  fieldPrefix: string,
  logPrefix: string | undefined,
  notes: FieldNotes,
): Taken<F> {
  const taken: Record<string, unknown> = {};
  for (const [name, accept] of Object.entries(fields)) {
    const value = Object.hasOwn(from, name) ? from[name] : undefined;
    if (value === undefined || value === null) continue;
    const field = fieldPrefix + name;
    const accepted = accept(value, (note) => notes.warn(field, note));
    if ('expected' in accepted) {
      notes.warn(field, `is left out: expected ${accepted.expected}, found ${quoteFound(value)}`);
      continue;
    }
    taken[name] = accepted.value;
    if (logPrefix !== undefined) notes.took(logPrefix + name);
  }
  // Built from exactly the fields of F, each with what its Accept gave.
  return taken as Taken<F>;
}

/** A list of paths, or of objects with one. A number says how many; that stays in the document only. */
function checkpointsOf(notes: FieldNotes): Accept<CheckpointEntry[]> {
  return (value) => {
    if (typeof value === 'number') return { value: [] };
    if (!Array.isArray(value)) return { expected: 'a list of paths' };
    return { value: value.flatMap((item, at) => checkpointOf(item, `checkpointsSaved[${at}]`, notes) ?? []) };
  };
}

function checkpointOf(item: JsonValue, field: string, notes: FieldNotes): CheckpointEntry | undefined {
  const entry = typeof item === 'string' ? { path: item } : item;
  if (!isJsonObject(entry) || typeof entry['path'] !== 'string' || entry['path'] === '') {
    notes.warn(field, `is left out: expected a path, found ${quoteFound(item)}`);
    return undefined;
  }
  const { path, ...rest } = take(
    { path: text, bytes: count, savedAt: time },
    entry,
    `${field}.`,
    undefined,
    notes,
  );
  return path === undefined ? undefined : { path, ...rest };
}

/** Numbers and kinds only: a text could be a secret that stands in the wrong place. */
function quoteFound(value: JsonValue): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string')
    return value === '' ? 'an empty text' : `a text of ${value.length} characters`;
  return describeJson(value);
}
