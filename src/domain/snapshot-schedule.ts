const hourMs = 3_600_000;

/**
 * Milliseconds until the next snapshot of a session that was found `ageMs` ago; more than 0. Snapshots lie on a grid
 * that begins when the session was found: restarts neither put them off nor add some, and a folder of sessions does not
 * take them all at once. Every `everyMs` in the first hour; then the pause doubles up to one hour, or up to `everyMs`
 * where that is longer.
 */
export function untilNextSnapshotMs(ageMs: number, everyMs: number): number {
  // A clock that was set back makes no session younger than new.
  const age = Math.max(ageMs, 0);
  let at = Math.floor(Math.min(age, hourMs) / everyMs) * everyMs;
  let pauseMs = everyMs;
  while (at <= age) {
    if (at >= hourMs) pauseMs = Math.min(pauseMs * 2, Math.max(hourMs, everyMs));
    at += pauseMs;
  }
  return at - age;
}

/** No session that changes waits longer for its next snapshot, whatever its age. */
export function longestPauseMs(everyMs: number): number {
  return Math.max(hourMs, everyMs);
}
