import type { Seal } from '../domain/end-rule.ts';
import { lastFileTime } from '../domain/file-time.ts';
import { thinHistory } from '../domain/history.ts';
import type { JsonValue } from '../domain/json.ts';
import type { FactSource } from '../domain/merge-facts.ts';
import { redact } from '../domain/redaction.ts';
import { inferredFrom, type SessionDraft } from '../domain/session-draft.ts';
import type { SurveyedSession } from './folder-survey.ts';

/** What said that the session has ended may also say when, and why it failed. */
export function sealSource(seal: Seal | undefined): FactSource[] {
  if (!seal || (seal.endedAt === undefined && seal.error === undefined)) return [];
  const facts = {
    ...(seal.endedAt !== undefined && { endedAt: seal.endedAt }),
    ...(seal.error !== undefined && { results: { error: seal.error } }),
  };
  return [{ source: seal.by, facts, provenance: {} }];
}

/** The last change of any file: the best guess at an end that nobody recorded. */
export function inferredSource(surveyed: SurveyedSession, seal: Seal | undefined): FactSource {
  const endedAt = lastFileTime(surveyed.files.map(({ stat }) => stat.mtimeNs));
  return { source: inferredFrom, facts: seal && endedAt !== undefined ? { endedAt } : {}, provenance: {} };
}

/** A snapshot's history is a picture of how it goes; a final log's is for those who compare runs. */
const snapshotHistoryBytesMax = 64 * 1024;
const finalHistoryBytesMax = 1024 * 1024;

export function withHistoryThinned(sources: readonly FactSource[], isFinal: boolean): FactSource[] {
  const bytesMax = isFinal ? finalHistoryBytesMax : snapshotHistoryBytesMax;
  return sources.map((source) => {
    const { history, ...facts } = source.facts;
    const thinned = history && thinHistory(history, bytesMax);
    return { ...source, facts: { ...facts, ...(thinned && { history: thinned }) } };
  });
}

/** Each path that was redacted is named in a warning. */
export function withoutSecrets(
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
