import type { JsonValue } from './json.ts';
import type { FactSource } from './merge-facts.ts';
import type { CheckpointEntry, ExcludedSection, MissingEntry, SessionStatus } from './session-log.ts';

/**
 * All that the next log of a session will say, but for what only the bucket knows: which companions arrived. It is
 * journalled with the work that it describes, redacted already, so that a log can be written after the folder is gone.
 */
export interface SessionDraft {
  readonly name: string;
  readonly status: SessionStatus;
  readonly sealedBy?: string;
  readonly agent: { readonly version: string; readonly host: string };
  /** Best first. */
  readonly sources: readonly FactSource[];
  /** What the configuration says where nobody else does, not even an earlier log. */
  readonly defaults?: FactSource;
  /** From file times: below everything, also below what an earlier log knew. */
  readonly inferred: FactSource;
  readonly documents: Readonly<Record<string, JsonValue>>;
  readonly excluded: ExcludedSection;
  readonly checkpoints: readonly CheckpointEntry[];
  /** What is not queued at all; queued files speak for themselves. */
  readonly missing: readonly MissingEntry[];
  readonly warnings: readonly string[];
}

/** Provenance of what was taken from file times, or reckoned from other values: never kept against a newer reading. */
export const inferredFrom = 'file times';
export const computedFrom = 'computed';
