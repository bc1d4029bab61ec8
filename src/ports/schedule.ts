/** Calls back at the times that a cron expression names, by the wall clock of the host. */
export interface Schedule {
  /** Returns what ends it. */
  start(onTime: () => void): () => void;
}
