import type { MissingReason } from '../domain/session-log.ts';

/** Why a person is needed, or what the last try met. */
export interface ParkedReason {
  readonly reason: MissingReason;
  readonly code: string;
  readonly cause: string;
  readonly remedy: string;
}

/** What is not in the bucket yet, by what it waits for. */
export interface BacklogCounts {
  readonly open: number;
  readonly shipping: number;
  readonly shipped: number;
  readonly skipped: number;
  readonly pendingFiles: number;
  readonly pendingBytes: number;
  readonly oldestPendingFoundAtMs: number | undefined;
  /** All of them, session logs included; of very many only the first are named. */
  readonly parkedFiles: number;
}

/** How many unsent and parked items a status names one by one; the rest is counted. */
export const namedInStatus = 1000;

export interface Backlog extends BacklogCounts {
  /** Of each session as they are sent: small ones first. */
  readonly unsent: readonly {
    readonly session: string;
    readonly path: string;
    readonly sizeBytes: number;
    readonly reason: string;
    /** Tries in a row that brought it no further. */
    readonly attempts: number;
  }[];
  readonly parked: readonly (ParkedReason & { readonly session: string; readonly path: string })[];
}
