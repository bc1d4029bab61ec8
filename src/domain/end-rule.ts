/**
 * When a session has ended: the first of its native result, an empty marker, a framework's own end of run, the death of
 * its process, silence. All but silence are evidence; silence is provisional and a later write takes it back.
 */
export type EndedStatus = 'completed' | 'failed' | 'cancelled' | 'interrupted' | 'stalled';

export interface Seal {
  readonly status: EndedStatus;
  /** For `session.sealedBy`: what said so. */
  readonly by: string;
  readonly evidence: boolean;
  /** Somebody wants all that is there shipped now: a writer that goes on does not take it back before that. */
  readonly ordered?: boolean;
  /** Whoever wrote may write again: the log does not claim to be complete. True of this life alone, never journalled. */
  readonly mayGoOn?: true;
  /** RFC 3339, where the evidence names it. */
  readonly endedAt?: string;
  readonly error?: string;
}

interface Ending {
  readonly status: EndedStatus;
  readonly by: string;
  readonly endedAt?: string;
  readonly error?: string;
  /** It counts once nothing changed for so long. */
  readonly quietMs?: number;
}

export interface EndObservations {
  /** From the readers: a native result or a framework's own end of run, in the order of the registry. */
  readonly endings: readonly Ending[];
  readonly marker: '_SUCCESS' | '_FAILED' | undefined;
  /** `dead` only for a process that was seen alive and is known to be gone. */
  readonly process: { readonly pid: number; readonly state: 'alive' | 'dead' } | undefined;
  readonly quietForMs: number;
  /** Some process in view holds a file of the session open. */
  readonly heldOpen: boolean;
}

export function endOf(seen: EndObservations, idleMs: number): Seal | undefined {
  const native = seen.endings.find(({ by }) => by === 'result.json');
  if (native) return sealBy(native);
  if (seen.marker === '_FAILED') return { status: 'failed', by: '_FAILED', evidence: true };
  if (seen.marker === '_SUCCESS') return { status: 'completed', by: '_SUCCESS', evidence: true };
  const ending = endingThatCounts(seen);
  if (ending && stillNeededMs(ending, seen) <= 0) return sealBy(ending);
  if (seen.process?.state === 'dead') {
    return { status: 'interrupted', by: `session.pid: process ${seen.process.pid} is gone`, evidence: true };
  }
  if (silent(seen, idleMs)) {
    return { status: 'stalled', by: `no change for ${Math.round(idleMs / 1000)} s`, evidence: false };
  }
  return undefined;
}

/**
 * The end that the files speak of, for those who cannot wait whether the session stays as it is. A run of which somebody
 * still holds a file is not said to have gone well before its time.
 */
export function endInSight(seen: EndObservations): Seal | undefined {
  const ending = endingThatCounts(seen);
  const isEarly = ending?.status === 'completed' && seen.heldOpen && stillNeededMs(ending, seen) > 0;
  return ending && !isEarly ? sealBy(ending) : undefined;
}

/** How long the session must stay as it is until evidence counts that is there; undefined when there is none. */
export function quietStillNeededMs(seen: EndObservations): number | undefined {
  const ending = endingThatCounts(seen);
  return ending && stillNeededMs(ending, seen);
}

/** What went wrong counts before what went well: a tracker may have been told of the end before the crash. */
function endingThatCounts({ endings }: EndObservations): Ending | undefined {
  return endings.find(({ status }) => status !== 'completed') ?? endings[0];
}

/** A process that is gone changes nothing any more. */
function stillNeededMs({ quietMs = 0 }: Ending, { quietForMs, process }: EndObservations): number {
  return process?.state === 'dead' ? 0 : quietMs - quietForMs;
}

function sealBy({ quietMs: _, ...ending }: Ending): Seal {
  return { ...ending, evidence: true };
}

/** Silence: nothing changed for long enough and nobody in view could still write. */
export function silent(seen: Pick<EndObservations, 'quietForMs' | 'heldOpen'>, idleMs: number): boolean {
  return seen.quietForMs >= idleMs && !seen.heldOpen;
}
