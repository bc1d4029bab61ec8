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

/** How many tries in a row have gone by, on average, once `ms` were spent with the pauses between them. */
export function triesWithin(ms: number, limits: RetryLimits): number {
  const cappedMs = retryDelayMs(Number.MAX_SAFE_INTEGER, limits, 0.5);
  let tries = 1;
  let leftMs = ms - retryDelayMs(tries, limits, 0.5);
  while (leftMs > 0 && retryDelayMs(tries + 1, limits, 0.5) < cappedMs) {
    tries += 1;
    leftMs -= retryDelayMs(tries, limits, 0.5);
  }
  return tries + (leftMs > 0 ? Math.ceil(leftMs / Math.max(1, cappedMs)) : 0);
}
