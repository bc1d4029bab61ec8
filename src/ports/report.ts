import type { Finding, Level } from '../domain/finding.ts';

/** The scheduled report: `report.json` in the state directory, one event, and metrics. Version 1; fields are only added. */
export interface Report {
  readonly version: 1;
  /** RFC 3339. */
  readonly at: string;
  readonly host: string;
  readonly folder: string;
  readonly destination: string;
  readonly level: Level;
  /** What is not `ok`, worst first. */
  readonly findings: readonly Finding[];
  readonly sessions: {
    readonly open: number;
    readonly shipping: number;
    readonly shipped: number;
    readonly skipped: number;
    readonly parkedFiles: number;
  };
  readonly backlog: {
    readonly files: number;
    readonly bytes: number;
    /** How long the file that has waited longest has been known. */
    readonly oldestAgeSeconds?: number;
    /** How long nothing has moved although something waits. */
    readonly stuckSeconds?: number;
    /** Over the time since the last report. */
    readonly bytesPerSecond?: number;
    /** At that rate. */
    readonly drainSeconds?: number;
  };
  readonly unfinishedUploads: { readonly count: number; readonly bytes: number };
  readonly disks: readonly {
    readonly of: 'folder' | 'state';
    readonly freeBytes: number;
    readonly totalBytes: number;
    /** Absent where the file system makes them as needed. */
    readonly freeInodes?: number;
  }[];
  readonly watch: {
    readonly state: string;
    /** What tells of changes before a look finds them; `none` where no agent watches. */
    readonly by?: 'events' | 'polling' | 'looks' | 'none';
    readonly looks: number;
    readonly lastLookAt?: string;
    /** Changes in watched places that a look at the whole folder found and no event had told of. */
    readonly missedByEvents: number;
  };
  readonly clockBehindMs?: number;
  readonly credentials?: {
    readonly source: string;
    /** ARN or the like, where the endpoint tells. */
    readonly identity?: string;
    /** Whether the destination takes them; absent where it could not be asked, or its answer does not tell. */
    readonly valid?: boolean;
    readonly problem?: string;
    readonly expiresAt?: string;
  };
  /** When something last arrived in the bucket. */
  readonly lastSuccessAt?: string;
  /** When the schedule says that the next one is due; absent where none reports on schedule. */
  readonly nextAt?: string;
}
