import type { EndedStatus } from '../domain/end-rule.ts';

/** What happened since the process began, counted: it outlives a new configuration and trouble with the disk. */
export interface EventCounts {
  /** Wall clock. */
  readonly startedAtMs: number;
  readonly sessionsFound: number;
  readonly sessionsEnded: Readonly<Record<EndedStatus, number>>;
  readonly sessionsVanished: number;
  readonly sessionWarnings: number;
  readonly finalLogs: number;
  readonly snapshots: number;
  readonly uploadedFiles: number;
  readonly uploadedBytes: number;
  readonly uploadMs: number;
  readonly uploadsRestarted: number;
  readonly retries: number;
  readonly blocks: number;
  readonly parked: number;
  readonly throttles: number;
  readonly vanishedFiles: number;
  readonly deletedFiles: number;
  readonly deletedBytes: number;
  readonly renewalsFailed: number;
  /** Wall clock; when something last arrived in the destination. */
  readonly lastSuccessAtMs: number | undefined;
}
