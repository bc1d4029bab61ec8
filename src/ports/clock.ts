/** Time, in one place, so that tests own it. */
export interface Clock {
  /** Wall-clock milliseconds since 1970: for people, names and comparisons with file times. May jump. */
  nowMs(): number;
  /** Milliseconds that only go forward: for every wait, age and deadline. */
  monotonicMs(): number;
  /** Resolves after `ms`, or at once when `signal` aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** In [0, 1). */
  random(): number;
}
