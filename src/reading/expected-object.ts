import type { SessionLog } from '../domain/session-log.ts';
import { displayPath } from '../domain/watched-path.ts';
import type { ListedObject } from '../ports/object-reader.ts';
import type { RecordedSession } from '../ports/recorded-objects.ts';

/** An object that somebody's word says is there. */
export interface ExpectedObject {
  /** Of the file, as the log shows it; absent: the log itself. */
  readonly path?: string;
  readonly key: string;
  readonly bytes?: number;
  readonly etag?: string;
  /** Whose word it is. */
  readonly by: 'log' | 'journal';
  /** From when on it may have been there: expiry counts from then at the earliest. */
  readonly sinceMs: number;
}

/** `expired` and `archived` are what the bucket's lifecycle does, and no loss. */
export type VerdictKind = 'gone' | 'changed' | 'unreadable' | 'foreign' | 'expired' | 'archived';

export interface Verdict extends Omit<ExpectedObject, 'sinceMs'> {
  readonly session: string;
  readonly verdict: VerdictKind;
  readonly found?: { readonly bytes: number; readonly etag: string };
  readonly cause?: string;
}

export function isLoss({ verdict }: Verdict): boolean {
  return verdict !== 'expired' && verdict !== 'archived';
}

export function expectedByLog({ session, companions }: SessionLog): ExpectedObject[] {
  const sinceMs = Date.parse(session.startedAt);
  return companions.map(({ path, key, bytes, etag }) => ({ path, key, bytes, etag, by: 'log', sinceMs }));
}

export function expectedByJournal({ files }: RecordedSession): ExpectedObject[] {
  return files.map(({ path, key, sizeBytes, etag, receivedAtMs }) => ({
    ...{ path: displayPath(path), key, bytes: sizeBytes, etag },
    ...{ by: 'journal', sinceMs: receivedAtMs },
  }));
}

/** By key; what log and journal say alike is looked at once. */
export function byKey(expected: readonly ExpectedObject[]): Map<string, ExpectedObject[]> {
  const keys = new Map<string, ExpectedObject[]>();
  for (const one of expected) {
    const same = keys.get(one.key) ?? [];
    if (!same.some(({ bytes, etag }) => bytes === one.bytes && etag === one.etag)) same.push(one);
    keys.set(one.key, same);
  }
  return keys;
}

export function verdictOn(
  session: string,
  { sinceMs: _, ...expected }: ExpectedObject,
  { sizeBytes, etag, isArchived }: ListedObject,
): Verdict | undefined {
  const isSame = (expected.bytes ?? sizeBytes) === sizeBytes && (expected.etag ?? etag) === etag;
  if (!isSame) return { session, ...expected, verdict: 'changed', found: { bytes: sizeBytes, etag } };
  return isArchived ? { session, ...expected, verdict: 'archived' } : undefined;
}

const dayMs = 24 * 3_600_000;

/** Where the bucket's lifecycle may have removed it by now. */
export function absent(
  session: string,
  { sinceMs, ...expected }: ExpectedObject,
  { nowMs, expireAfterDays }: { readonly nowMs: number; readonly expireAfterDays: number | undefined },
): Verdict {
  const isOld = expireAfterDays !== undefined && sinceMs + expireAfterDays * dayMs <= nowMs;
  return { session, ...expected, verdict: isOld ? 'expired' : 'gone' };
}
