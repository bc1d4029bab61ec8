/** A log that was written because the one before said of a session that goes on that it had ended. Times are monotonic. */
export interface Correction {
  readonly atMs: number;
  /** How long the next one of the same session has to wait from then on. */
  readonly pauseMs: number;
}

/** Last words come in pairs: a line of output, and then the result that says how it ended. */
const afterMs = 2_000;
const pauseMinMs = 60_000;
const pauseMaxMs = 3_600_000;
/** What stayed as it was for so long is not what flaps. Longer than any pause, or the longest would be its own end. */
const forgottenAfterMs = 2 * pauseMaxMs;

export function correctionDueMs(reopenedAtMs: number, last: Correction | undefined): number {
  return Math.max(reopenedAtMs + afterMs, last ? last.atMs + last.pauseMs : Number.NEGATIVE_INFINITY);
}

export function correctedAt(nowMs: number, last: Correction | undefined): Correction {
  const isAnew = !last || isForgotten(last, nowMs);
  return { atMs: nowMs, pauseMs: isAnew ? pauseMinMs : Math.min(2 * last.pauseMs, pauseMaxMs) };
}

export function isForgotten({ atMs }: Correction, nowMs: number): boolean {
  return nowMs - atMs >= forgottenAfterMs;
}
