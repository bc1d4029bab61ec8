import { createHash } from 'node:crypto';
import { redactText } from './redact-text.ts';
import { pathToBytes, type WatchedPath } from './watched-path.ts';

/**
 * What a session is called in the bucket, for ever. Pure: who holds an id already is asked elsewhere.
 *
 *   session.json's `id`, made legal  >  the directory's name where it is a UUID  >  generated from place and start
 */

export const idLengthMax = 128;

/** Legal ids: `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`. Undefined when nothing legal is left of `raw`. */
export function legalId(raw: string): string | undefined {
  const legal = raw.replace(/[^A-Za-z0-9._-]/gu, '-').replace(/^[^A-Za-z0-9]+/, '');
  if (legal === '') return undefined;
  return legal.length <= idLengthMax ? legal : withSuffix(legal, hexOf([raw]));
}

/** 8-4-4-4-12 letters and digits: wider than hexadecimal on purpose. */
export function isUuidName(name: string): boolean {
  return /^[A-Za-z0-9]{8}(?:-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12}$/.test(name);
}

export interface SessionPlace {
  readonly host: string;
  /** Absolute path of the watched folder. */
  readonly folder: string;
  /** Of the session's root, relative to the folder. */
  readonly path: WatchedPath;
  readonly startedAtMs: number;
}

/** `<path, / as ->-<start>-<6 hex>`; for the folder itself, the folder's own name stands for the path. */
export function generatedId(place: SessionPlace): string {
  const { host, folder, path, startedAtMs } = place;
  const name = path === '' ? (folder.split('/').findLast((segment) => segment !== '') ?? '') : path;
  const tail = `${compactTime(startedAtMs)}-${hexOf([host, folder, path, String(startedAtMs)]).slice(0, 6)}`;
  const legal = name.replace(/[^A-Za-z0-9._-]/gu, '-').replace(/^[^A-Za-z0-9]+/, '');
  return legal === '' ? tail : `${legal.slice(0, idLengthMax - tail.length - 1)}-${tail}`;
}

/** For an id that another session holds already. */
export function suffixedId(id: string, origin: string): string {
  return withSuffix(id, hexOf([origin]));
}

export interface SessionOrigin extends SessionPlace {
  /** Another one for a directory that was made again under the same name. */
  readonly directoryIdentity: string;
}

/** Which session an object came from: the same for every revision, another for every other session. 32 hex. */
export function originOf(origin: SessionOrigin): string {
  const { host, folder, path, startedAtMs, directoryIdentity } = origin;
  return hexOf([host, folder, path, String(startedAtMs), directoryIdentity]).slice(0, 32);
}

const earliestStartMs = Date.UTC(2015, 0, 1);
const dayMs = 24 * 60 * 60 * 1000;

/** Clocks that were never set say 1970; nobody trains in the future. */
export function believableStart(startedAtMs: number, nowMs: number): boolean {
  return startedAtMs >= earliestStartMs && startedAtMs <= nowMs + dayMs;
}

export interface IdentityInputs extends SessionPlace {
  /** The directory's own name, or that of a one-file session without its ending. */
  readonly name: string;
  /** `id` of session.json, as written. */
  readonly nativeId?: string | undefined;
}

export interface ChosenIdentity {
  readonly id: string;
  readonly source: 'session.json' | 'directory name' | 'generated';
  /** True when no other session can have it. */
  readonly unique: boolean;
  /** What it was before it was made legal. */
  readonly original?: string;
  readonly warnings: readonly string[];
}

export function chooseIdentity(inputs: IdentityInputs): ChosenIdentity {
  const native = inputs.nativeId === undefined ? undefined : legalId(inputs.nativeId);
  if (native !== undefined && native === inputs.nativeId) {
    return { id: native, source: 'session.json', unique: false, warnings: [] };
  }
  if (native !== undefined && inputs.nativeId !== undefined) {
    const warnings = [`session.json: id ${quoteShort(inputs.nativeId)} is no legal id, "${native}" is used`];
    return { id: native, source: 'session.json', unique: false, original: inputs.nativeId, warnings };
  }
  const warnings =
    inputs.nativeId === undefined
      ? []
      : [
          `session.json: id ${quoteShort(inputs.nativeId)} has no letter or digit that an id could be made of`,
        ];
  if (isUuidName(inputs.name)) return { id: inputs.name, source: 'directory name', unique: false, warnings };
  return { id: generatedId(inputs), source: 'generated', unique: true, warnings };
}

function withSuffix(id: string, hex: string): string {
  return `${id.slice(0, idLengthMax - 7)}-${hex.slice(0, 6)}`;
}

function hexOf(parts: readonly string[]): string {
  const hash = createHash('sha256');
  // NUL cannot stand in a path or a host's name, so that no two lists of parts are the same bytes.
  for (const part of parts) hash.update(pathToBytes(part)).update('\0');
  return hash.digest('hex');
}

function compactTime(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

/** For messages: people put addresses and worse into ids. */
function quoteShort(text: string): string {
  const clean = redactText(text.slice(0, 1000));
  return JSON.stringify(clean.length > 200 ? `${clean.slice(0, 200)}…` : clean);
}
