import type { Failure } from '../domain/failure.ts';
import { retryDelayMs } from '../domain/retry-policy.ts';
import type { ShippingContext } from './shipping-context.ts';

/** What a failure of a session's log, or a denial of any of its objects, means for the session. */
export function recordSessionFailure(context: ShippingContext, sid: number, failure: Failure): void {
  const { journal, events, clock, retry, gate } = context;
  if (failure.kind === 'cancelled') return;
  // Denied: others are let try first; no attempt is spent.
  if (failure.kind === 'blocked') {
    journal.postpone(sid, clock.monotonicMs() + gate.waitMs);
    return;
  }
  const shipment = journal.shipment(sid);
  if (!shipment) return;
  const { id: session, key: path } = shipment.identity;
  const { code, message: cause, remedy = '' } = failure;
  const ifAny = failure.remedy === undefined ? {} : { remedy };
  if (failure.kind === 'permanent') {
    journal.park(sid, { reason: 'parked', code, cause, remedy });
    // It is open again, and what was refused is not wanted any more: the next log is tried anew.
    if (shipment.withdrawn) return;
    events.emit('file.parked', { session, path, reason: 'parked', code, cause, remedy });
    return;
  }
  const attempt = shipment.attempts + 1;
  const delayMs = retryDelayMs(attempt, retry, clock.random(), failure.retryAfterMs);
  const why = { reason: 'pending', code, cause, remedy } as const;
  journal.postpone(sid, clock.monotonicMs() + delayMs, why);
  events.emit('upload.retry', { session, path, attempt, delayMs, code, cause, ...ifAny });
}
