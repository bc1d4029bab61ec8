import type { Seal } from './end-rule.ts';

/**
 * A session's life. Only `open`, `shipping` and `shipped` are ever on disk; the others are memory, and a crash in them
 * is a crash in the last one that was on disk.
 *
 *   state       means                                     leaves by
 *   open        being written                             ended -> sealing
 *   sealing     ended; stragglers get the settle time     settled -> assembling · changed -> sealing, or open if provisional
 *   assembling  facts are being read                      enqueued -> shipping · changed -> sealing, or open if provisional
 *   shipping    its jobs are in the journal               shipped -> shipped · changed -> sealing, or open if provisional
 *   shipped     the bucket says all there is to say       changed -> sealing, or open if provisional (revision + 1) ·
 *                                                         doubted -> sealing
 *
 * A seal by silence is provisional: a change takes it back, one that was ordered (a drain) once it is assembled. A seal
 * by evidence stays, a change only adds a revision; but for `begunAnew`, which takes it back (sealing -> open). So does one
 * of a session that may go on although its host is going.
 */
export type SessionState =
  | { readonly at: 'open' }
  | { readonly at: 'sealing'; readonly seal: Seal; readonly sinceMs: number }
  | { readonly at: 'assembling'; readonly seal: Seal }
  | { readonly at: 'shipping'; readonly seal: Seal }
  | { readonly at: 'shipped'; readonly seal: Seal };

export type SessionEvent =
  | { readonly type: 'changed'; readonly nowMs: number }
  | { readonly type: 'ended'; readonly seal: Seal; readonly nowMs: number }
  /** A change that says that what had ended was begun anew, or went on. */
  | { readonly type: 'begunAnew' }
  /** A file may have changed without a sign. */
  | { readonly type: 'doubted'; readonly nowMs: number }
  | { readonly type: 'settled' }
  | { readonly type: 'enqueued' }
  | { readonly type: 'shipped' };

export const openSession: SessionState = { at: 'open' };

export function advance(state: SessionState, event: SessionEvent): SessionState {
  switch (event.type) {
    case 'ended':
      return state.at === 'open' ? { at: 'sealing', seal: event.seal, sinceMs: event.nowMs } : state;
    case 'changed':
      return afterChange(state, event.nowMs);
    case 'begunAnew':
      return state.at === 'sealing' && !state.seal.ordered ? openSession : state;
    case 'doubted':
      return state.at === 'shipped' ? { at: 'sealing', seal: state.seal, sinceMs: event.nowMs } : state;
    case 'settled':
      return state.at === 'sealing' ? { at: 'assembling', seal: state.seal } : state;
    case 'enqueued':
      return state.at === 'assembling' ? { at: 'shipping', seal: state.seal } : state;
    case 'shipped':
      return state.at === 'shipping' ? { at: 'shipped', seal: state.seal } : state;
    default:
      return unreachable(event);
  }
}

function afterChange(state: SessionState, nowMs: number): SessionState {
  switch (state.at) {
    case 'open':
      return state;
    case 'sealing':
      // The wait is bounded from the first seal on, whatever keeps changing.
      return stays(state.seal) || state.seal.ordered ? state : openSession;
    case 'assembling':
    case 'shipping':
    case 'shipped':
      return stays(state.seal) ? { at: 'sealing', seal: state.seal, sinceMs: nowMs } : openSession;
    default:
      return unreachable(state);
  }
}

function stays({ evidence, mayGoOn }: Seal): boolean {
  return evidence || mayGoOn === true;
}

function unreachable(value: never): never {
  throw new Error(`no such case: ${JSON.stringify(value)}`);
}
