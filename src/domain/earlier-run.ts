/**
 * A directory that was used before still holds what told the end of the run before, and that tells nothing of the one
 * that was begun since. `session.pid` is written when a process begins, `session.json` when a session does.
 */
export interface Beginning {
  /** When `session.pid` was written. */
  readonly pidAtMs: number | undefined;
  /** `startedAt` of `session.json`, and when that was written. */
  readonly session: { readonly startedAtMs: number; readonly writtenAtMs: number } | undefined;
}

/** Clocks of one place differ by seconds. */
const momentMs = 10_000;

/**
 * What was written before this moment is an earlier run's. A `startedAt` alone is not enough: local times are often
 * written as if they were UTC; and the time of the file is not either, it may be written anew at any time.
 */
export function begunAtMs({ pidAtMs, session }: Beginning): number {
  const byPid = pidAtMs ?? Number.NEGATIVE_INFINITY;
  return Math.max(byPid, sessionBegunAtMs(session));
}

export function sessionBegunAtMs(session: Beginning['session']): number {
  if (session === undefined) return Number.NEGATIVE_INFINITY;
  return Math.min(session.startedAtMs - momentMs, session.writtenAtMs);
}
