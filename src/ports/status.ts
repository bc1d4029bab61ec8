import type { Backlog } from './backlog.ts';

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
  readonly backlog: Backlog;
  readonly uploads: readonly {
    readonly session: string;
    readonly path: string;
    readonly sizeBytes: number;
    readonly sentBytes: number;
    readonly forMs: number;
  }[];
  /** Files straight in the folder that belong to no session and are not shipped. */
  readonly loose: readonly string[];
}
