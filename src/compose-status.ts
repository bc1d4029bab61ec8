import type { Clock } from './ports/clock.ts';
import type { Journal } from './ports/journal.ts';
import type { Status } from './ports/status.ts';
import type { DestinationGate } from './services/destination-gate.ts';
import type { RequestLimit } from './services/request-limit.ts';
import type { Uploader } from './services/uploader.ts';

type ShippingStatus = Pick<Status, 'blocked' | 'throttled' | 'parts' | 'uploads'>;

/** What the way to the bucket has to say of itself. */
export function shippingStatus(of: {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly gate: DestinationGate;
  readonly limit: RequestLimit;
  readonly uploader: Uploader;
}): ShippingStatus {
  const nowMs = of.clock.monotonicMs();
  const throttled = of.limit.state();
  return {
    ...blockedPart(of.gate),
    ...(throttled && { throttled }),
    parts: of.journal.uploadCounts(),
    uploads: of.uploader.activeTransfers().map(({ startedMs, ...transfer }) => ({
      ...transfer,
      forMs: Math.round(nowMs - startedMs),
    })),
  };
}

function blockedPart(gate: DestinationGate): Pick<Status, 'blocked'> {
  const blocked = gate.state();
  if (!blocked) return {};
  const { code, cause, remedy, sinceMs } = blocked;
  return { blocked: { code, cause, remedy, sinceMs } };
}
