import { type EndObservations, endInSight, type Seal } from './end-rule.ts';

/** The host is known to be going (ADR 41). Times are monotonic. */
export interface Departure {
  /** For `session.sealedBy`. */
  readonly because: string;
  readonly sinceMs: number;
  /** A session that was left alone for so long since then is over. */
  readonly quietMs: number;
  /** From here on every session is sealed, whatever goes on in it. */
  readonly lastCallMs: number;
  /** From here on what is not at rest is taken as it is: there is time for logs alone. */
  readonly lastLookMs: number;
}

const quietShare = 1 / 10;
const quietMinMs = 10_000;
const quietMaxMs = 60_000;
const lastCallShare = 1 / 3;
const lastCallMaxMs = 60_000;
/** More than the uploader keeps for final logs. */
const lastLookShare = 1 / 4;
const lastLookMaxMs = 5_000;
const askAgainMs = 1_000;

export function planDeparture(of: {
  readonly because: string;
  readonly sinceMs: number;
  readonly timeoutMs: number;
  readonly settleMs: number;
}): Departure {
  const { because, sinceMs, timeoutMs, settleMs } = of;
  const wantedMs = Math.min(Math.max(timeoutMs * quietShare, quietMinMs), quietMaxMs);
  const atMs = sinceMs + timeoutMs;
  return {
    because,
    sinceMs,
    quietMs: Math.max(Math.round(Math.min(wantedMs, timeoutMs * lastCallShare)), settleMs),
    lastCallMs: atMs - Math.min(timeoutMs * lastCallShare, lastCallMaxMs),
    lastLookMs: atMs - Math.min(timeoutMs * lastLookShare, lastLookMaxMs),
  };
}

/** How a session ends that nothing else has ended; undefined: not yet. */
export function departed(seen: EndObservations, departure: Departure, nowMs: number): Seal | undefined {
  const isLeft = isQuiet(seen, departure, nowMs) && !isInUse(seen);
  if (!isLeft && nowMs < departure.lastCallMs) return undefined;
  const { because: by } = departure;
  const seal = endInSight(seen) ?? { status: 'interrupted' as const, by, evidence: false };
  return isLeft ? seal : { ...seal, mayGoOn: true };
}

/** When to look at it again, should nothing happen. */
export function lookAgainMs(seen: EndObservations, departure: Departure, nowMs: number): number {
  const restMs = departure.quietMs - quietForMs(seen, departure, nowMs);
  return Math.min(nowMs + (restMs > 0 ? restMs : askAgainMs), Math.max(departure.lastCallMs, nowMs));
}

function isInUse({ heldOpen, process }: EndObservations): boolean {
  return heldOpen || process?.state === 'alive';
}

function isQuiet(seen: EndObservations, departure: Departure, nowMs: number): boolean {
  return quietForMs(seen, departure, nowMs) >= departure.quietMs;
}

/** Before the signal nobody had a reason to end: that silence does not count. */
function quietForMs(seen: EndObservations, { sinceMs }: Departure, nowMs: number): number {
  return Math.min(seen.quietForMs, nowMs - sinceMs);
}
