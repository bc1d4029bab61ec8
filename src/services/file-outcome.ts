import { Conflict, Failure, FileFailure } from '../domain/failure.ts';
import { retryDelayMs } from '../domain/retry-policy.ts';
import { advanceJob } from '../domain/upload-job.ts';
import { displayPath } from '../domain/watched-path.ts';
import type { ParkedReason } from '../ports/backlog.ts';
import type { FileRecord, Shipment } from '../ports/journal.ts';
import { IdentityTaken, type ShippingContext } from './shipping-context.ts';

/**
 * Records what a try that failed means for its file. `hasMoved`: parts of it arrived, so that its tries are counted
 * anew. `hasWritten`: a request went out that may have replaced the object. False when it means nothing: we stopped it. Throws IdentityTaken, and the Failure when the destination denied
 * it: then the whole session steps aside.
 */
export function recordFailure(
  context: ShippingContext,
  shipment: Shipment,
  file: FileRecord,
  error: unknown,
  { hasMoved, hasWritten }: { hasMoved: boolean; hasWritten: boolean },
): boolean {
  if (error instanceof IdentityTaken) throw error;
  const { journal, events, clock, retry } = context;
  const session = shipment.identity.id;
  const path = displayPath(file.path);
  if (error instanceof FileFailure && error.reason === 'vanished') {
    journal.recordGone(shipment.sid, file.path, file.fingerprint);
    events.emit('file.vanished', { session, path });
    return true;
  }
  const failure = asFailure(error);
  // Nothing is held against the file.
  if (failure.kind === 'blocked') throw failure;
  const attempts = hasMoved ? 0 : file.attempts;
  const started = advanceJob({ at: 'pending', attempts }, { type: 'started' });
  const next = advanceJob(started, { type: 'failed', kind: failure.kind });
  const reason = reasonOf(failure, error);
  const uncertain = hasWritten && !(error instanceof FileFailure);
  const outcome = { ...reason, fingerprint: file.fingerprint, uncertain };
  if (next.at === 'parked') {
    journal.recordParked(shipment.sid, file.path, outcome);
    events.emit('file.parked', { session, path, ...reason });
  } else if (next.at === 'pending' && failure.kind === 'transient') {
    const delayMs = retryDelayMs(next.attempts, retry, clock.random(), failure.retryAfterMs);
    const dueAtMs = Math.round(clock.monotonicMs() + delayMs);
    journal.recordFailed(shipment.sid, file.path, { ...outcome, attempts: next.attempts, dueAtMs });
    const { code, message: cause, remedy } = failure;
    const attempt = next.attempts;
    const told = { session, path, attempt, delayMs, code, cause, ...(remedy !== undefined && { remedy }) };
    events.emit('upload.retry', told);
  }
  return failure.kind !== 'cancelled';
}

/** The bytes are there; a late answer may yet replace them, so the job stays until that was looked at. */
export function recordUnsettled(
  { journal }: ShippingContext,
  { sid }: Shipment,
  { path, fingerprint, attempts, key }: FileRecord,
  dueAtMs: number,
): void {
  const cause = `an earlier request for ${JSON.stringify(key)} may yet be carried out; it is looked at again`;
  const why = { reason: 'pending', code: 'Unsettled', cause, remedy: 'none needed' } as const;
  journal.recordFailed(sid, path, { ...why, fingerprint, attempts, dueAtMs, uncertain: true });
}

function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof Conflict)
    return new Failure({ kind: 'transient', code: 'Conflict', attempted: error.message });
  if (error instanceof FileFailure) {
    const kind = error.reason === 'changing' ? 'transient' : 'permanent';
    return new Failure({
      kind,
      code: error.code,
      attempted: error.message,
      remedy: error.remedy,
      cause: error,
    });
  }
  throw error;
}

function reasonOf(failure: Failure, error: unknown): ParkedReason {
  const byFile = error instanceof FileFailure && error.reason !== 'vanished' ? error.reason : undefined;
  const reason = byFile ?? (failure.kind === 'permanent' ? 'parked' : 'pending');
  return { reason, code: failure.code, cause: failure.message, remedy: failure.remedy ?? '' };
}
