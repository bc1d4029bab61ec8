/** How bad it is: nothing to do; look at it soon; act now. */
export type Level = 'ok' | 'warning' | 'critical';

/** One thing that was looked at, told so that a person can act on it. Nothing secret is in it. */
export interface Finding {
  /** Stable, for scripts and alerts: `credentials.expired`, `disk.free`. */
  readonly code: string;
  readonly level: Level;
  /** What is the matter, or that nothing is: one line, with the values that were found. */
  readonly finding: string;
  /** What it was told by: the answer of the server, the file, the measured value. */
  readonly evidence?: string;
  /** What to do next; absent where nothing is to be done. */
  readonly remedy?: string;
}

const levels: readonly Level[] = ['ok', 'warning', 'critical'];

/** The worst of all; `ok` of none. */
export function worstLevel(findings: readonly Pick<Finding, 'level'>[]): Level {
  return levels[Math.max(0, ...findings.map(({ level }) => levels.indexOf(level)))] ?? 'ok';
}
