import type { CompanionChoice } from '../domain/companion-filter.ts';
import type { Encoding } from '../domain/compression.ts';
import { endOf } from '../domain/end-rule.ts';
import type { Facts, Provenance } from '../domain/facts.ts';
import { mergeFacts } from '../domain/merge-facts.ts';
import { sessionLogKey } from '../domain/object-key.ts';
import type { SessionStatus } from '../domain/session-log.ts';
import { displayPath, type WatchedPath } from '../domain/watched-path.ts';
import type { FileSource } from '../ports/file-source.ts';
import { companionKeys } from './companion-keys.ts';
import { withoutSecrets } from './draft-sources.ts';
import { markerOf } from './end-evidence.ts';
import { type SurveyedSession, surveyFolder } from './folder-survey.ts';
import { planIdentity } from './identify.ts';
import type { SurveyRules } from './root-recognition.ts';
import type { SessionPlaces } from './session-places.ts';
import type { SessionReading, SessionReadings } from './session-reading.ts';
import { sortFiles } from './sort-files.ts';

/** What would be shipped of one session, were it shipped now. */
export interface SessionPlan {
  readonly id: string;
  readonly path: string;
  readonly foundBy: string;
  readonly key: string;
  readonly startedAt: string;
  readonly companions: readonly { path: string; key: string; bytes: number }[];
  /** How it would be said to have ended; `running` while nothing says so. */
  readonly status: SessionStatus;
  readonly sealedBy?: string;
  /** What its files and its place say of it, and which of them says what. */
  readonly facts: Facts;
  readonly provenance: Readonly<Provenance>;
  readonly excluded: { files: number; bytes: number };
  readonly missing: readonly { path: string; bytes?: number | undefined; reason: string }[];
  readonly warnings: readonly string[];
}

export interface FolderPlan {
  readonly folder: string;
  readonly sessions: readonly SessionPlan[];
  readonly loose: readonly string[];
  readonly bytes: number;
}

export interface PlannerOptions {
  readonly source: FileSource;
  readonly readings: SessionReadings;
  readonly places: Pick<SessionPlaces, 'of' | 'witness'>;
  readonly rules: Omit<SurveyRules, 'frozen'>;
  readonly choose: (path: WatchedPath, sizeBytes: number) => CompanionChoice;
  readonly compression: Encoding | 'none';
  readonly keyTemplate: string;
  readonly host: string;
  readonly folder: string;
  readonly nowMs: number;
}

/** Looks once, sends nothing, writes nothing; needs no journal. */
export async function planFolder(options: PlannerOptions, signal: AbortSignal): Promise<FolderPlan> {
  const rules = { ...options.rules, frozen: () => false };
  const oneFile = options.readings.oneFileIdentity.bind(options.readings);
  const sessions: SessionPlan[] = [];
  const loose: string[] = [];
  for await (const survey of surveyFolder(options.source, rules, { oneFile, isLast: () => false }, signal)) {
    for (const surveyed of survey.sessions) sessions.push(await planSession(options, surveyed));
    loose.push(...survey.loose.map((entry) => displayPath(entry.path)));
  }
  const bytes = sessions.flatMap((session) => session.companions).reduce((sum, file) => sum + file.bytes, 0);
  return { folder: options.folder, sessions, loose, bytes };
}

async function planSession(options: PlannerOptions, surveyed: SurveyedSession): Promise<SessionPlan> {
  const { readings, choose, keyTemplate } = options;
  const { root } = surveyed;
  const reading = await readings.read(
    { root: root.path, kind: root.kind, files: surveyed.files },
    { toEnd: true },
  );
  readings.forget(root.path);
  const { id, startedAtMs, warnings } = planIdentity(options, surveyed, reading);
  const { known, placeWarnings } = await whatIsKnown(options, surveyed, reading);
  const sorted = sortFiles(surveyed, reading, { choose, isSettled: () => true });
  const { companions } = sorted;
  const identity = { id, startedAtMs };
  const keyOf = companionKeys({
    keyTemplate,
    identity,
    known: new Map(),
    companions,
    wanted: options.compression,
  });
  return {
    id,
    path: displayPath(root.path === '' ? '.' : root.path),
    foundBy: root.by,
    key: sessionLogKey(keyTemplate, startedAtMs, id),
    startedAt: new Date(startedAtMs).toISOString(),
    companions: companions.map(({ path, entry }) => ({
      path: displayPath(path),
      key: keyOf({ path, sizeBytes: entry.stat.sizeBytes }),
      bytes: entry.stat.sizeBytes,
    })),
    ...endOfFiles(surveyed, reading),
    ...known,
    excluded: sorted.excluded,
    missing: sorted.missing,
    warnings: [...warnings, ...reading.warnings, ...placeWarnings, ...sorted.warnings],
  };
}

async function whatIsKnown({ places }: PlannerOptions, surveyed: SurveyedSession, reading: SessionReading) {
  const session = { root: surveyed.root.path, kind: surveyed.root.kind, files: surveyed.files };
  const place = await places.of(session, await places.witness(session), reading.sources);
  const fallback = place.otherwise ? [place.otherwise] : [];
  const clean = withoutSecrets({}, [...reading.sources, ...place.told, ...fallback]);
  const { facts, provenance } = mergeFacts(clean.sources);
  const { isPieced: _, ...told } = facts;
  return { known: { facts: told, provenance }, placeWarnings: [...place.warnings, ...clean.warnings] };
}

/** By what the files say now; silence and processes are for those who stay. */
function endOfFiles(surveyed: SurveyedSession, reading: SessionReading) {
  const quietForMs = Number.POSITIVE_INFINITY;
  const { endings } = reading;
  const marker = markerOf(surveyed, reading);
  const seen = { endings, marker, process: undefined, quietForMs, heldOpen: true };
  const seal = endOf(seen, Number.POSITIVE_INFINITY);
  return { status: seal?.status ?? ('running' as const), ...(seal && { sealedBy: seal.by }) };
}
