import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { pathFromBytes } from '../domain/watched-path.ts';
import type {
  FileRecord,
  FileState,
  RestingSession,
  SessionPhase,
  SessionRecord,
  Shipment,
} from '../ports/journal.ts';
import { JournalDamaged } from './journal-trouble.ts';

/**
 * Rows as SQLite gives them, made into the journal's nouns and back. What the program would not have written is a
 * damaged journal, found here rather than where it would look like a mistake of somebody else.
 */
export type Row = Record<string, SQLOutputValue>;
export type Value = SQLInputValue;

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new JournalDamaged(`column ${column} holds ${typeof value}, not text`);
  return value;
}

export function number(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number')
    throw new JournalDamaged(`column ${column} holds ${typeof value}, not a number`);
  return value;
}

export function optionalText(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : text(row, column);
}

/** What a JSON column must have at least: its fields by the JavaScript type, or `array`. */
type Fields = Readonly<Record<string, 'string' | 'number' | 'boolean' | 'array' | 'object'>>;

const fieldsOf: Readonly<Record<string, Fields>> = {
  identity: { id: 'string', key: 'string', startedAtMs: 'number', origin: 'string', warnings: 'array' },
  seal: { status: 'string', by: 'string', evidence: 'boolean' },
  process: { pid: 'number', startTicks: 'string', bootId: 'string', pidNamespace: 'string' },
  receipt: { etag: 'string', sizeBytes: 'number', receivedAtMs: 'number', contentType: 'string' },
  brief: { name: 'string', status: 'string' },
  detail: { config: 'object', metrics: 'object', excluded: 'object', warnings: 'array' },
  failure: { reason: 'string', code: 'string', cause: 'string', remedy: 'string' },
  draft: {
    name: 'string',
    status: 'string',
    agent: 'object',
    sources: 'array',
    inferred: 'object',
    documents: 'object',
    excluded: 'object',
    checkpoints: 'array',
    missing: 'array',
    warnings: 'array',
  },
};

/** The journal wrote it, with the type that it is read as. */
export function json<T>(row: Row, column: string): T | undefined {
  const value = optionalText(row, column);
  if (value === undefined) return undefined;
  const parsed = parse(value, column);
  for (const [field, type] of Object.entries(fieldsOf[column] ?? {})) {
    const held = (parsed as Readonly<Record<string, unknown>> | null)?.[field];
    const found = Array.isArray(held) ? 'array' : held === null ? 'null' : typeof held;
    if (found !== type) throw new JournalDamaged(`column ${column} has ${found} as ${field}, not ${type}`);
  }
  return parsed as T;
}

function parse(value: string, column: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    throw new JournalDamaged(`column ${column} is no JSON`); // reason: the text may hold anything
  }
}

export function path(row: Row, column: string): string {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw new JournalDamaged(`column ${column} holds no bytes`);
  return pathFromBytes(value);
}

export function sessionRecord(row: Row): SessionRecord {
  return {
    sid: number(row, 'sid'),
    folder: text(row, 'folder'),
    root: path(row, 'root'),
    kind: text(row, 'kind') as SessionRecord['kind'],
    directoryIdentity: text(row, 'directory_identity'),
    phase: text(row, 'phase') as SessionPhase,
    foundAtMs: number(row, 'found_at_ms'),
    identity: json(row, 'identity'),
    seal: json(row, 'seal'),
    shape: text(row, 'shape'),
    revision: number(row, 'revision'),
    certain: number(row, 'certain') === 1,
    process: json(row, 'process'),
    endTold: number(row, 'end_told') === 1,
  };
}

export function restingSession(row: Row): RestingSession {
  return {
    sid: number(row, 'sid'),
    root: path(row, 'root'),
    directoryIdentity: text(row, 'directory_identity'),
    shape: text(row, 'shape'),
  };
}

export function fileRecord(row: Row): FileRecord {
  return {
    path: path(row, 'path'),
    role: text(row, 'role') as FileRecord['role'],
    key: text(row, 'key'),
    sizeBytes: number(row, 'size_bytes'),
    fingerprint: text(row, 'fingerprint'),
    state: text(row, 'state') as FileState,
    attempts: number(row, 'attempts'),
    dueAtMs: number(row, 'due_at_ms'),
    uncertain: number(row, 'uncertain') > 0,
    staleRequest: number(row, 'uncertain') === 2,
    listed: number(row, 'listed') === 1,
    claim: optionalText(row, 'claim'),
    receipt: json(row, 'receipt'),
    failure: json(row, 'failure'),
  };
}

export function shipment(row: Row): Shipment | undefined {
  const identity = json<Shipment['identity']>(row, 'identity');
  const draft = json<Shipment['draft']>(row, 'draft');
  if (!identity || !draft) return undefined;
  return {
    sid: number(row, 'sid'),
    folder: text(row, 'folder'),
    root: path(row, 'root'),
    kind: text(row, 'kind') as Shipment['kind'],
    identity,
    draft,
    work: number(row, 'work'),
    revision: number(row, 'revision'),
    logEtag: optionalText(row, 'log_etag'),
    logDigest: optionalText(row, 'log_digest'),
    certain: number(row, 'certain') === 1,
    logDoubted: number(row, 'log_doubt') > 0,
    logContested: number(row, 'log_doubt') === 2,
    endTold: number(row, 'end_told') === 1,
    withdrawn: text(row, 'phase') === 'open',
    attempts: number(row, 'attempts'),
  };
}
