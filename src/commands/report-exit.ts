import type { Level } from '../domain/finding.ts';

/** As plugins of monitoring systems give them; 3 is for what cannot be told. */
export const reportExit: Readonly<Record<Level | 'unknown', number>> = {
  ok: 0,
  warning: 1,
  critical: 2,
  unknown: 3,
};
