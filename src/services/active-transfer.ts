/** A file that is on its way right now, for those who watch. */
export interface ActiveTransfer {
  readonly session: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly startedMs: number;
  sentBytes: number;
}
