import { createHash } from 'node:crypto';
import type { CompanionChoice } from '../domain/companion-filter.ts';
import type { Seal } from '../domain/end-rule.ts';
import { lastFileTime } from '../domain/file-time.ts';
import type { JsonValue } from '../domain/json.ts';
import type { FactSource } from '../domain/merge-facts.ts';
import { companionKey } from '../domain/object-key.ts';
import { redact } from '../domain/redaction.ts';
import { inferredFrom, type SessionDraft } from '../domain/session-draft.ts';
import { displayPath, pathToBytes, type WatchedPath } from '../domain/watched-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { Events } from '../ports/events.ts';
import { directoryIdentity, type FileSource, type FileStat, fingerprintOf } from '../ports/file-source.ts';
import type { FileRecord, Journal, NewFile, SessionIdentity } from '../ports/journal.ts';
import type { SurveyedSession } from './folder-survey.ts';
import { identify } from './identify.ts';
import type { SessionReading, SessionReadings } from './session-reading.ts';
import { type SessionFile, type SortedFiles, sortFiles } from './sort-files.ts';
import { shapeOf, type TrackedSession } from './tracked-session.ts';

const warningsMax = 200;

export interface AssemblerOptions {
  readonly source: FileSource;
  readonly journal: Journal;
  readonly readings: SessionReadings;
  readonly clock: Clock;
  readonly events: Events;
  readonly choose: (path: WatchedPath, sizeBytes: number) => CompanionChoice;
  readonly keyTemplate: string;
  readonly folder: string;
  readonly agent: { readonly version: string; readonly host: string };
  /** What the configuration knows about user, pod and price. */
  readonly defaults: FactSource | undefined;
}

/**
 * Makes of a session's files the next thing to ship: facts by precedence into a draft, companions into jobs, both into
 * the journal in one transaction. Dying before that transaction costs nothing but this work.
 */
export class Assembler {
  readonly #options: AssemblerOptions;

  constructor(options: AssemblerOptions) {
    this.#options = options;
  }

  /** `seal` undefined: a log of the session as it is, `running`, with nothing queued. */
  async assemble(
    tracked: TrackedSession,
    surveyed: SurveyedSession,
    seal: Seal | undefined,
    isSettled: (path: WatchedPath) => boolean,
  ): Promise<{ changing: readonly WatchedPath[]; warnings: readonly string[] }> {
    const { journal, readings } = this.#options;
    const record = tracked.record;
    if (!record)
      throw new Error(`session ${JSON.stringify(tracked.root)} is assembled before it is in the journal`);
    const reading = await readings.read({ root: tracked.root, kind: tracked.kind, files: surveyed.files });
    const identity = record.identity ?? identify(this.#options, record, surveyed, reading);
    tracked.record = { ...record, identity };
    const sorted = sortFiles(surveyed, reading, { choose: this.#options.choose, isSettled });
    const known = new Map(journal.files(record.sid).map((row) => [row.path, row]));
    const draft = this.#draft(surveyed, reading, sorted, seal, seal ? [] : unsent(sorted, known));
    if (!seal) {
      journal.enqueue(record.sid, { seal: undefined, shape: '', draft, files: [] });
      return { changing: [], warnings: draft.warnings };
    }
    const files = await this.#queue(record.sid, identity, sorted, known);
    const shape = sorted.changing.length > 0 ? '' : this.#shape(surveyed, files);
    journal.enqueue(record.sid, { seal, shape, draft, files });
    tracked.forgetFiles(shape);
    return { changing: sorted.changing.map(({ path }) => path), warnings: draft.warnings };
  }

  async #queue(
    sid: number,
    identity: SessionIdentity,
    sorted: SortedFiles,
    known: ReadonlyMap<WatchedPath, FileRecord>,
  ): Promise<NewFile[]> {
    const files: NewFile[] = [];
    for (const file of sorted.companions) {
      const { key } = companionKey(this.#options.keyTemplate, identity.startedAtMs, identity.id, file.path);
      const row = known.get(file.path);
      const fingerprint = fingerprintOf(file.entry.stat);
      const isThere =
        row?.fingerprint === fingerprint && (row.state === 'uploaded' || row.state === 'parked');
      const claimed = isThere ? undefined : await this.#claim(sid, file, row);
      files.push({
        ...newFile(file, 'companion', claimed?.fingerprint ?? fingerprint),
        key,
        claim: claimed?.claim ?? row?.claim,
      });
    }
    for (const file of sorted.others) files.push(newFile(file, 'other', fingerprintOf(file.entry.stat)));
    // No fingerprint: whatever is there at the next look is news.
    for (const file of sorted.changing) files.push(newFile(file, 'other', ''));
    return files;
  }

  async #claim(
    sid: number,
    file: SessionFile,
    row: FileRecord | undefined,
  ): Promise<{ claim: string; fingerprint: string } | undefined> {
    const claim = row?.claim ?? claimName(sid, file.path);
    const stat = await this.#options.source.claim(file.entry.path, claim);
    if (!stat) return undefined;
    if (directoryIdentity(stat) !== directoryIdentity(file.entry.stat)) {
      // Another file has taken the name since the look, maybe another session's.
      await this.#options.source.releaseClaim(claim);
      return undefined;
    }
    const fingerprint = sameButForCtime(stat, file.entry.stat)
      ? fingerprintOf(stat)
      : fingerprintOf(file.entry.stat);
    return { claim, fingerprint };
  }

  #shape(surveyed: SurveyedSession, files: readonly NewFile[]): string {
    const fingerprints = new Map(files.map((file) => [file.path, file.fingerprint]));
    const prefix = surveyed.root.path === '' ? '' : `${surveyed.root.path}/`;
    return shapeOf(
      surveyed.files.map((entry) => {
        const path = surveyed.root.kind === 'file' ? (files[0]?.path ?? '') : entry.path.slice(prefix.length);
        return [entry.path, fingerprints.get(path) ?? ''];
      }),
    );
  }

  #draft(
    surveyed: SurveyedSession,
    reading: SessionReading,
    sorted: SortedFiles,
    seal: Seal | undefined,
    pending: SessionDraft['missing'],
  ): SessionDraft {
    const { agent, defaults } = this.#options;
    const sources = [...reading.sources, ...sealSource(seal)];
    const clean = withoutSecrets(reading.documents, sources);
    const unreadable = reading.unreadable.map(({ path }) => ({
      path: displayPath(path),
      reason: 'unreadable' as const,
    }));
    return {
      name: displayPath(surveyed.root.path === '' ? this.#options.folder : surveyed.root.path),
      status: seal?.status ?? 'running',
      ...(seal && { sealedBy: seal.by }),
      agent,
      sources: clean.sources,
      ...(defaults && { defaults }),
      inferred: inferredSource(surveyed, seal),
      documents: clean.documents,
      excluded: sorted.excluded,
      checkpoints: sorted.checkpoints,
      missing: [...pending, ...sorted.missing, ...unreadable],
      warnings: someOf([...reading.warnings, ...sorted.warnings, ...clean.warnings]),
    };
  }
}

/** A file of a thousand mistakes is one trouble. */
function someOf(warnings: readonly string[]): string[] {
  if (warnings.length <= warningsMax) return [...warnings];
  return [...warnings.slice(0, warningsMax), `and ${warnings.length - warningsMax} more warnings`];
}

export function claimName(sid: number, path: WatchedPath): string {
  return `${sid}-${createHash('sha256').update(pathToBytes(path)).digest('hex').slice(0, 24)}`;
}

export function sameButForCtime(a: FileStat, b: FileStat): boolean {
  return a.ino === b.ino && a.sizeBytes === b.sizeBytes && a.mtimeNs === b.mtimeNs;
}

function newFile(file: SessionFile, role: NewFile['role'], fingerprint: string): NewFile {
  return {
    path: file.path,
    role,
    key: '',
    sizeBytes: file.entry.stat.sizeBytes,
    fingerprint,
    claim: undefined,
  };
}

/** Companions of a running session that are not in the bucket as they are now. */
function unsent(sorted: SortedFiles, known: ReadonlyMap<WatchedPath, FileRecord>): SessionDraft['missing'] {
  return sorted.companions
    .filter(({ path, entry }) => {
      const row = known.get(path);
      return row?.state !== 'uploaded' || row.fingerprint !== fingerprintOf(entry.stat);
    })
    .map(({ path, entry }) => ({
      path: displayPath(path),
      bytes: entry.stat.sizeBytes,
      reason: 'pending' as const,
    }));
}

function sealSource(seal: Seal | undefined): FactSource[] {
  if (!seal || (seal.endedAt === undefined && seal.error === undefined)) return [];
  const facts = {
    ...(seal.endedAt !== undefined && { endedAt: seal.endedAt }),
    ...(seal.error !== undefined && { results: { error: seal.error } }),
  };
  return [{ source: seal.by, facts, provenance: {} }];
}

/** The last change of any file: the best guess at an end that nobody recorded. */
function inferredSource(surveyed: SurveyedSession, seal: Seal | undefined): FactSource {
  const endedAt = lastFileTime(surveyed.files.map(({ stat }) => stat.mtimeNs));
  return { source: inferredFrom, facts: seal && endedAt !== undefined ? { endedAt } : {}, provenance: {} };
}

function withoutSecrets(
  documents: Readonly<Record<string, JsonValue>>,
  sources: readonly FactSource[],
): Pick<SessionDraft, 'documents' | 'sources'> & { warnings: string[] } {
  const paths = new Set<string>();
  const clean = <T>(value: T, prefix: string): T => {
    const plain = redact(value as JsonValue);
    for (const path of plain.redacted) paths.add(`${prefix}${path}`);
    // Redaction replaces strings by strings: the shape stays.
    return plain.value as T;
  };
  return {
    documents: clean(documents, 'native.'),
    sources: sources.map((source) => ({ ...source, facts: clean(source.facts, '') })),
    warnings: [...paths].map((path) => `${path} looked like a secret or an e-mail address and is redacted`),
  };
}
