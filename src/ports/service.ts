/**
 * The vocabulary of everything that runs for long.
 *
 *   prepare what must be over before any service runs; rejects when it cannot be, and none runs then
 *   run     resolves when its work is over or `stop` was called; rejects when it cannot go on, which stops everyone
 *   drain   finish what fits before the deadline, take nothing new; called once, before `stop`
 *   stop    end now; idempotent; `run` resolves soon after
 */
export interface Service {
  readonly name: string;
  prepare?(): Promise<void>;
  run(): Promise<void>;
  drain?(deadline: Deadline): Promise<void>;
  stop(): Promise<void>;
}

export interface Deadline {
  /** On the monotonic clock. */
  readonly atMs: number;
  readonly signal: AbortSignal;
}
