/** When to try again: full jitter, so that hosts which failed together do not come back together. */
export interface RetryLimits {
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
}

/** A server that asks for more than this is not believed: someone would have to wait for a typing error. */
export const retryAfterMaxMs = 15 * 60 * 1000;

/**
 * Milliseconds to wait after the `attempt`-th failure (from 1): evenly spread over [0, base * 2^(attempt-1)), capped.
 * What the server asked for is waited out first, and the spread is added to it.
 * `random` is in [0, 1).
 */
export function retryDelayMs(
  attempt: number,
  { baseDelayMs, maxDelayMs }: RetryLimits,
  random: number,
  retryAfterMs = 0,
): number {
  // 2^60 times any delay is beyond any cap and still a finite number.
  const doublings = Math.min(Math.max(Math.trunc(attempt) - 1, 0), 60);
  const ceilingMs = Math.min(maxDelayMs, baseDelayMs * 2 ** doublings);
  const askedMs = Number.isFinite(retryAfterMs) ? Math.min(Math.max(retryAfterMs, 0), retryAfterMaxMs) : 0;
  return Math.floor(askedMs + random * (askedMs > 0 ? Math.min(baseDelayMs, ceilingMs) : ceilingMs));
}
