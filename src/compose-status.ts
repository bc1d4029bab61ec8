import type { Clock } from './ports/clock.ts';
import type { Journal } from './ports/journal.ts';
import type { Status } from './ports/status.ts';
import type { ActiveTransfer } from './services/active-transfer.ts';
import type { DestinationGate } from './services/destination-gate.ts';
import type { QueueLook } from './services/queue-pulse.ts';
import type { RequestLimit } from './services/request-limit.ts';
import type { TransferRate } from './services/transfer-rate.ts';
import type { Uploader } from './services/uploader.ts';

type ShippingStatus = Pick<Status, 'blocked' | 'throttled' | 'parts' | 'bytesPerSecond' | 'uploads'>;

/** What the way to the bucket has to say of itself. */
export function shippingStatus(of: {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly gate: DestinationGate;
  readonly limit: RequestLimit;
  readonly rate: TransferRate;
  readonly uploader: Uploader;
}): ShippingStatus {
  const nowMs = of.clock.monotonicMs();
  const throttled = of.limit.state();
  const { bytesPerSecond } = of.rate;
  return {
    ...blockedPart(of.gate),
    ...(throttled && { throttled }),
    parts: of.journal.uploadCounts(),
    ...(bytesPerSecond !== undefined && { bytesPerSecond: Math.round(bytesPerSecond) }),
    uploads: of.uploader.activeTransfers().map((transfer) => uploadStatus(transfer, nowMs)),
  };
}

function uploadStatus(transfer: ActiveTransfer, nowMs: number): Status['uploads'][number] {
  const { session, path, sizeBytes, sentBytes, bytesPerSecond, startedMs } = transfer;
  const rate = bytesPerSecond === undefined ? {} : { bytesPerSecond: Math.round(bytesPerSecond) };
  return { session, path, sizeBytes, sentBytes, forMs: Math.round(nowMs - startedMs), ...rate };
}

/** For whoever must know whether the queue goes on. */
export function queueLook(of: { readonly gate: DestinationGate; readonly uploader: Uploader }): QueueLook {
  const { gate, uploader } = of;
  const { reads, writes } = gate.served;
  // What a process before this one sent is read again before it is completed: of a large file, for hours without a request.
  const moved = uploader.activeTransfers().map(({ sentBytes, readBytes }) => sentBytes + readBytes);
  return {
    isBusy: uploader.sessionsUnderWay > 0 && gate.state() === undefined,
    turns: uploader.turns,
    mark: [reads, writes, ...moved].join(),
  };
}

function blockedPart(gate: DestinationGate): Pick<Status, 'blocked'> {
  const blocked = gate.state();
  if (!blocked) return {};
  const { code, cause, remedy, sinceMs } = blocked;
  return { blocked: { code, cause, remedy, sinceMs } };
}
