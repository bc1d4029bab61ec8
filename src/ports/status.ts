import type { Backlog } from './backlog.ts';
import type { UploadCounts } from './ledger.ts';
import type { Report } from './report.ts';

/** What `trainlogd status` shows; also the answer on the status socket. Version 1; fields are only added. */
export interface Status {
  readonly version: 1;
  readonly running: boolean;
  readonly pid?: number;
  readonly host: string;
  readonly program: string;
  readonly folder: string;
  readonly destination: string;
  readonly state: string;
  readonly folderState?: string;
  readonly blocked?: {
    readonly code: string;
    readonly cause: string;
    readonly remedy: string;
    readonly sinceMs: number;
  };
  readonly credentials?: CredentialsState;
  /** How far the clock of this host is behind the server's, when requests are signed with a corrected time. */
  readonly clockBehindMs?: number;
  /** The state directory cannot be used, or what `of` names: nothing goes on until it can. */
  readonly trouble?: {
    readonly of?: string;
    readonly code: string;
    readonly cause: string;
    readonly remedy: string;
    readonly sinceMs: number;
  };
  /** The destination asked for fewer requests, and gets so many at once. */
  readonly throttled?: { readonly requests: number; readonly of: number };
  /** Uploads in parts with the bytes that they hold in the bucket: under way, and given up but not freed yet. */
  readonly parts?: UploadCounts;
  /** The last one that was made. */
  readonly report?: Report;
  /** Why the last one could not be made, or not be written; absent while reports go well. */
  readonly reportProblem?: string;
  /** Where the status page is; absent while nothing is served. */
  readonly http?: { readonly url: string };
  readonly backlog: Backlog;
  /** Of all transfers together while there were any, the last minutes first; absent until enough was sent to tell. */
  readonly bytesPerSecond?: number;
  readonly uploads: readonly {
    readonly session: string;
    readonly path: string;
    readonly sizeBytes: number;
    readonly sentBytes: number;
    readonly forMs: number;
    /** Over the last seconds; absent until enough moved to tell. */
    readonly bytesPerSecond?: number;
  }[];
  /** Sessions of a shared folder that another host ships. */
  readonly elsewhere?: readonly { readonly session: string; readonly host: string }[];
  /** Files straight in the folder that belong to no session and are not shipped. */
  readonly loose: readonly string[];
}

/** Where requests get their credentials from; nothing of the credentials themselves. */
export interface CredentialsState {
  readonly source: string;
  /** RFC 3339; absent for credentials that do not expire. */
  readonly expiresAt?: string;
  /** Why the last renewal failed, and what to do. */
  readonly problem?: string;
}
