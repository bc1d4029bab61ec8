import { createHash } from 'node:crypto';
import type { Facts, Provenance } from './facts.ts';
import { type FactSource, mergeFacts } from './merge-facts.ts';
import { computedFrom, inferredFrom, type SessionDraft } from './session-draft.ts';
import {
  type CompanionEntry,
  type MissingEntry,
  type MissingReason,
  renderSessionLog,
  type SessionLog,
} from './session-log.ts';
import { trimLog } from './trim-log.ts';
import { displayPath, type WatchedPath } from './watched-path.ts';

/** A queued file as far as a log speaks of it. */
export interface LoggedFile {
  readonly path: WatchedPath;
  readonly role: string;
  readonly key: string;
  readonly sizeBytes: number;
  readonly state: string;
  /** Another object than that of the receipt may be there. */
  readonly uncertain: boolean;
  readonly receipt: LoggedReceipt | undefined;
  readonly failure: { reason: MissingReason } | undefined;
}

export interface LoggedReceipt {
  readonly etag: string;
  readonly sizeBytes: number;
  readonly crc32: string;
  readonly partSizeBytes?: number;
  readonly contentType: string;
  readonly truncated?: boolean;
}

export interface ComposeInput {
  readonly identity: { id: string; startedAtMs: number; startedBy: string; warnings: readonly string[] };
  readonly draft: SessionDraft;
  readonly revision: number;
  readonly files: readonly LoggedFile[];
  /** The log that this one replaces: what it knew and nothing contradicts stays. */
  readonly previous: SessionLog | undefined;
  readonly bytesMax: number;
}

export interface ComposedLog {
  readonly text: string;
  /** Of all but the revision: equal digests need no new revision. */
  readonly digest: string;
  readonly listed: readonly WatchedPath[];
  readonly missing: number;
}

export function composeLog(input: ComposeInput): ComposedLog {
  const { draft, identity, files } = input;
  const fallbacks = [...(draft.defaults ? [draft.defaults] : []), draft.inferred];
  const merged = mergeFacts([...draft.sources, ...factsOf(input.previous), ...fallbacks]);
  const { facts, provenance } = reckon(merged.facts, merged.provenance, identity, draft.checkpoints);
  const listed = files.filter(isListed);
  const log: SessionLog = {
    schemaVersion: 1,
    session: sessionSection(input, facts),
    ...(facts.user && { user: facts.user }),
    ...(facts.pod && { pod: facts.pod }),
    ...(facts.config && { config: facts.config }),
    ...(facts.results && { results: facts.results }),
    ...(facts.history && { history: facts.history }),
    companions: listed.map(companionEntry),
    missing: missingSection(input),
    excluded: draft.excluded,
    native: { ...input.previous?.native, ...draft.documents },
    provenance,
    warnings: [...new Set([...identity.warnings, ...draft.warnings])],
  };
  const fitting = trimLog(log, input.bytesMax);
  return {
    text: renderSessionLog(fitting),
    digest: logDigest(fitting),
    listed: listed.map((file) => file.path),
    missing: fitting.missing.length,
  };
}

/** A companion whose newer bytes wait to be sent, or may have been, is not listed: the object may be another one. */
export function isListed(file: LoggedFile): boolean {
  return (
    file.role === 'companion' && file.receipt !== undefined && file.state !== 'pending' && !file.uncertain
  );
}

export function logDigest(log: SessionLog): string {
  const timeless = { ...log, session: { ...log.session, revision: 1 } };
  return createHash('sha256').update(renderSessionLog(timeless)).digest('base64url');
}

function sessionSection({ identity, draft, revision }: ComposeInput, facts: Facts): SessionLog['session'] {
  return {
    id: identity.id,
    name: draft.name,
    status: draft.status,
    startedAt: new Date(identity.startedAtMs).toISOString(),
    ...(facts.endedAt !== undefined && draft.status !== 'running' && { endedAt: facts.endedAt }),
    ...(facts.version !== undefined && { version: facts.version }),
    revision,
    ...(draft.sealedBy !== undefined && { sealedBy: draft.sealedBy }),
    ...(facts.framework !== undefined && { framework: facts.framework }),
    agent: draft.agent,
  };
}

function factsOf(previous: SessionLog | undefined): readonly FactSource[] {
  if (!previous) return [];
  const { user, pod, config, results, history, session } = previous;
  const facts: Facts = {
    ...(session.version !== undefined && { version: session.version }),
    ...(session.framework !== undefined && { framework: session.framework }),
    ...(session.endedAt !== undefined && { endedAt: session.endedAt }),
    ...(user && { user }),
    ...(pod && { pod }),
    ...(config && { config }),
    ...(results && { results }),
    ...(history && { history }),
  };
  return [{ source: 'earlier revision', ...withoutGuesses(facts, previous.provenance) }];
}

/** What an earlier revision inferred or reckoned is worked out anew, not remembered. */
function withoutGuesses(facts: Facts, provenance: Provenance): Pick<FactSource, 'facts' | 'provenance'> {
  const kept = structuredClone(facts) as Record<string, Record<string, unknown> | undefined>;
  for (const [path, source] of Object.entries(provenance)) {
    if (source !== inferredFrom && !source.startsWith(computedFrom)) continue;
    const [section = '', field = ''] = path.split('.');
    if (section === 'session') delete kept[field];
    else delete kept[section]?.[field];
  }
  return { facts: kept as Facts, provenance };
}

/** What follows from the facts: duration, cost, checkpoints that were seen. */
export function reckon(
  facts: Facts,
  provenance: Provenance,
  identity: ComposeInput['identity'],
  checkpoints: SessionDraft['checkpoints'],
): { facts: Facts; provenance: Provenance } {
  const sources: Provenance = { ...provenance, 'session.startedAt': identity.startedBy };
  const results = { ...facts.results };
  if (results.durationSeconds === undefined && facts.endedAt !== undefined && facts.isPieced !== true) {
    const seconds = (Date.parse(facts.endedAt) - identity.startedAtMs) / 1000;
    if (seconds >= 0) {
      results.durationSeconds = seconds;
      sources['results.durationSeconds'] = `${computedFrom}: end minus start`;
    }
  }
  if (results.checkpointsSaved === undefined && checkpoints.length > 0) {
    results.checkpointsSaved = [...checkpoints];
    sources['results.checkpointsSaved'] = inferredFrom;
  }
  const pod = { ...facts.pod };
  if (pod.cost === undefined && pod.costPerHour !== undefined && results.durationSeconds !== undefined) {
    const cost = Math.round((results.durationSeconds / 3600) * pod.costPerHour * 1e6) / 1e6;
    if (Number.isFinite(cost)) {
      pod.cost = cost;
      sources['pod.cost'] = `${computedFrom}: hours times price per hour`;
    }
  }
  return {
    facts: {
      ...facts,
      ...(Object.keys(results).length > 0 && { results }),
      ...(Object.keys(pod).length > 0 && { pod }),
    },
    provenance: sources,
  };
}

function companionEntry(file: LoggedFile): CompanionEntry {
  const { receipt } = file;
  if (!receipt) throw new Error(`${JSON.stringify(file.key)} has no receipt to list`);
  return {
    path: displayPath(file.path),
    key: file.key,
    bytes: receipt.sizeBytes,
    etag: receipt.etag,
    ...(receipt.partSizeBytes !== undefined && { partSize: receipt.partSizeBytes }),
    ...(receipt.crc32 !== '' && { crc32: receipt.crc32 }),
    contentType: receipt.contentType,
    ...(receipt.truncated && { truncated: true }),
  };
}

/** What the journal knows of a file counts; the draft may have named it before it was queued. */
function missingSection({ files, draft, previous }: ComposeInput): MissingEntry[] {
  const queued = files.flatMap(missingEntry);
  const named = new Set(queued.map((entry) => entry.path));
  const entries = [...queued, ...draft.missing.filter((entry) => !named.has(entry.path))];
  entries.push(...endsMissing(previous, files, entries));
  return draft.status === 'running' ? entries : [...entries, ...vanishedSince(previous, files, entries)];
}

/** Of a file that is there in part, the rest is gone, unless something else is known of it. */
function endsMissing(
  previous: SessionLog | undefined,
  files: readonly LoggedFile[],
  entries: readonly MissingEntry[],
): MissingEntry[] {
  const named = new Set(entries.map(({ path }) => path));
  const cut = files.filter((file) => isListed(file) && file.receipt?.truncated);
  return cut.flatMap(({ path: at, sizeBytes }) => {
    const path = displayPath(at);
    const bytes = previous?.missing.find((entry) => entry.path === path)?.bytes ?? sizeBytes;
    return named.has(path) ? [] : [{ path, bytes, reason: 'vanished' as const }];
  });
}

/**
 * Once a session has ended, the journal has a row for each file that is there: what an earlier revision missed and has
 * none is gone. Entries without a size are directories.
 */
function vanishedSince(
  previous: SessionLog | undefined,
  files: readonly LoggedFile[],
  entries: readonly MissingEntry[],
): MissingEntry[] {
  const known = new Set([...files.map((file) => displayPath(file.path)), ...entries.map(({ path }) => path)]);
  const gone = (previous?.missing ?? []).filter(({ path, bytes }) => bytes !== undefined && !known.has(path));
  return gone.map((entry) => ({ ...entry, reason: 'vanished' }));
}

function missingEntry(file: LoggedFile): MissingEntry[] {
  if (file.role !== 'companion') return [];
  const entry = { path: displayPath(file.path), bytes: file.sizeBytes };
  switch (file.state) {
    case 'pending':
      return [{ ...entry, reason: file.failure?.reason ?? 'pending' }];
    case 'parked':
      return [{ ...entry, reason: file.failure?.reason ?? 'parked' }];
    case 'gone':
      return [{ ...entry, reason: 'vanished' }];
    default:
      return [];
  }
}
