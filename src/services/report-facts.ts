import type { Finding } from '../domain/finding.ts';
import type { Report } from '../ports/report.ts';
import type { Status } from '../ports/status.ts';

/** What a report is made of: measured, and not judged but where a look at the thing itself had to judge. */
export interface ReportFacts {
  /** Wall clock. */
  readonly nowMs: number;
  readonly status: Status;
  readonly pace: Pace;
  readonly disks: Report['disks'];
  readonly watch: WatchFacts;
  /** Absent for a directory. */
  readonly access?: AccessFacts;
  /** What looks at disks and destination found. */
  readonly looked: readonly Finding[];
  /** Where nobody reached the destination, that is so since the last report, or this is the first. */
  readonly isNewlyUnreachable?: boolean;
  /** Wall clock. */
  readonly lastSuccessAtMs: number | undefined;
  /** Wall clock; absent where none reports on schedule. */
  readonly nextReportAtMs?: number | undefined;
}

export interface ReportLimits {
  readonly backlogAgeWarnMs: number;
  readonly credentialExpiryWarnMs: number;
  /** So many tries in a row take about as long as `backlogAgeWarnMs`. */
  readonly triesWarn: number;
}

/** How what waits moves. */
export interface Pace {
  /** Over the time since the last report; undefined when nothing moved. */
  readonly bytesPerSecond?: number;
  /** The same, where something waited all that time. */
  readonly drainBytesPerSecond?: number;
  /** For how long nothing has moved although something waits. */
  readonly stuckMs?: number;
}

export interface WatchFacts {
  /** What tells of changes before a look finds them; `none` where no agent watches. */
  readonly by: 'events' | 'polling' | 'looks' | 'none';
  /** Why it is not events as it should be. */
  readonly degraded?: { readonly code: string; readonly message: string; readonly remedy: string };
  readonly looks: number;
  readonly lastLookAtMs?: number;
  readonly missedByEvents: number;
  /** Of these, since the last report. */
  readonly missedLately: number;
}

/** What the destination said to one request that the agent makes too. */
export interface AccessFacts {
  /** Undefined: it could not be asked, or its answer does not tell. */
  readonly valid?: boolean;
  readonly problem?: string;
  readonly identity?: string;
  /** The code of its refusal. */
  readonly code?: string;
}
