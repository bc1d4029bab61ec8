import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { pathFromBytes } from '../domain/watched-path.ts';
import type { FileRecord, FileState, SessionPhase, SessionRecord, Shipment } from '../ports/journal.ts';

/** Rows as SQLite gives them, made into the journal's nouns and back. */
export type Row = Record<string, SQLOutputValue>;
export type Value = SQLInputValue;

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string')
    throw new TypeError(`journal column ${column} holds ${typeof value}, not text`);
  return value;
}

export function number(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number')
    throw new TypeError(`journal column ${column} holds ${typeof value}, not a number`);
  return value;
}

export function optionalText(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : text(row, column);
}

/** The journal wrote it, with the type that it is read as. */
export function json<T>(row: Row, column: string): T | undefined {
  const value = optionalText(row, column);
  return value === undefined ? undefined : (JSON.parse(value) as T);
}

export function path(row: Row, column: string): string {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw new TypeError(`journal column ${column} holds no bytes`);
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
    process: json(row, 'process'),
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
    uncertain: number(row, 'uncertain') === 1,
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
    attempts: number(row, 'attempts'),
  };
}
