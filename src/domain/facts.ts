import type { History } from './history.ts';
import type { ConfigSection, PodSection, ResultsSection, UserSection } from './session-log.ts';

/** What a source knows about a session: parts of the session log, everything optional. Times are RFC 3339 in UTC. */
export interface Facts {
  version?: string;
  /** As written; not yet a legal id. */
  id?: string;
  framework?: string;
  startedAt?: string;
  endedAt?: string;
  user?: UserSection;
  pod?: PodSection;
  config?: ConfigSection;
  results?: ResultsSection;
  history?: History;
  /**
   * Several processes trained, one after the other, and not all of them said how long: neither the last one's time nor the
   * time between start and end is the session's. Not a part of the session log.
   */
  isPieced?: boolean;
}

/** Path of a value in the session log (`pod.gpuType`, `session.startedAt`) to the file or source that it came from. */
export type Provenance = Record<string, string>;
