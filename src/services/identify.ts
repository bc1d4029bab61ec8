import { sessionLogKey } from '../domain/object-key.ts';
import { inferredFrom } from '../domain/session-draft.ts';
import { believableStart, chooseIdentity, originOf, suffixedId } from '../domain/session-identity.ts';
import { baseName } from '../domain/watched-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { Events } from '../ports/events.ts';
import type { Journal, SessionIdentity, SessionRecord } from '../ports/journal.ts';
import type { SurveyedSession } from './folder-survey.ts';
import type { SessionReading } from './session-reading.ts';

export interface IdentifyOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  /** By the destination's clock, as far as that is known; without it the host's counts. */
  readonly serverNowMs?: () => number;
  readonly events: Events;
  readonly keyTemplate: string;
  readonly folder: string;
  readonly agent: { readonly host: string };
}

/** Decides id, start and key of a session, once, and writes them down before anything is sent under them. */
export function identify(
  options: IdentifyOptions,
  record: SessionRecord,
  surveyed: SurveyedSession,
  reading: SessionReading,
): SessionIdentity {
  const { journal, events, folder, agent, keyTemplate, clock } = options;
  const nowMs = options.serverNowMs?.() ?? clock.nowMs();
  const chosen = planIdentity({ host: agent.host, folder, nowMs }, surveyed, reading, record.foundAtMs);
  const { startedAtMs, startedBy, unique } = chosen;
  const { directoryIdentity, root: path } = record;
  const origin = originOf({ host: agent.host, folder, path, startedAtMs, directoryIdentity });
  const warnings = [...chosen.warnings];
  let id = chosen.id;
  for (let attempt = 0; journal.idHolder(id) !== undefined; attempt++) {
    id = suffixedId(chosen.id, attempt === 0 ? origin : `${origin}-${attempt}`);
  }
  if (id !== chosen.id) {
    const reason = 'another session of this folder has that id';
    warnings.push(idWarning(chosen.id, reason, id));
    events.emit('session.renamed', { session: id, wanted: chosen.id, reason });
  }
  const key = sessionLogKey(keyTemplate, startedAtMs, id);
  const identity: SessionIdentity = { id, key, startedAtMs, startedBy, origin, unique, warnings };
  journal.freeze(record.sid, identity);
  return identity;
}

/** Id and start as they would be if nobody else had that id. */
export function planIdentity(
  place: { readonly host: string; readonly folder: string; readonly nowMs: number },
  surveyed: SurveyedSession,
  reading: SessionReading,
  foundAtMs = place.nowMs,
): { id: string; startedAtMs: number; startedBy: string; unique: boolean; warnings: readonly string[] } {
  const { path, kind } = surveyed.root;
  const start = startOf(foundAtMs, surveyed, reading, place.nowMs);
  const name = baseName(path).replace(kind === 'file' ? /\.(json|log)$/ : /$^/, '');
  const { host, folder } = place;
  const chosen = chooseIdentity({
    host,
    folder,
    path,
    startedAtMs: start.ms,
    name,
    nativeId: reading.nativeId,
  });
  return {
    id: chosen.id,
    startedAtMs: start.ms,
    startedBy: start.by,
    unique: chosen.unique,
    warnings: [...start.warnings, ...chosen.warnings],
  };
}

export function idWarning(wanted: string, reason: string, id: string): string {
  return `id "${wanted}" is taken: ${reason}; this session is shipped as "${id}"`;
}

function startOf(
  foundAtMs: number,
  surveyed: SurveyedSession,
  reading: SessionReading,
  nowMs: number,
): { ms: number; by: string; warnings: string[] } {
  const warnings: string[] = [];
  if (reading.nativeStartedAt !== undefined) {
    const ms = Date.parse(reading.nativeStartedAt);
    if (believableStart(ms, nowMs)) return { ms, by: reading.nativeStartedBy ?? 'session.json', warnings };
    warnings.push(`startedAt ${reading.nativeStartedAt} is before 2015 or in the future, and not believed`);
  }
  const fromFiles = Number(surveyed.startedNoLaterThanNs / 1_000_000n);
  if (believableStart(fromFiles, nowMs)) return { ms: fromFiles, by: inferredFrom, warnings };
  warnings.push('no file has a time that could be the start; the time of the first look is taken');
  return { ms: foundAtMs, by: 'first look', warnings };
}
