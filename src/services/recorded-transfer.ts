import { contentTypeOf } from '../domain/content-type.ts';
import { Failure } from '../domain/failure.ts';
import { displayPath } from '../domain/watched-path.ts';
import type { FileRecord, Shipment } from '../ports/journal.ts';
import type { OneTransfer } from './file-transfer.ts';
import type { ResumeRecords } from './resume-records.ts';
import { IdentityTaken, objectMetadata, type ShippingContext } from './shipping-context.ts';

export interface RecordedTransferOptions {
  readonly context: ShippingContext;
  readonly records: ResumeRecords;
  /** Smaller files are not sent in parts. */
  readonly fromBytes: number;
  /** How much of the work may be lost with this host. */
  readonly everyMs: number;
}

/** The same transfers; what takes long can be completed by another host all the while. */
export function recordedTransfer(transfer: OneTransfer, options: RecordedTransferOptions): OneTransfer {
  return {
    run: async (shipment, file, signal, how) => {
      if (file.sizeBytes < options.fromBytes) return await transfer.run(shipment, file, signal, how);
      const over = new AbortController();
      const recording = recordEvery(options, shipment, file, AbortSignal.any([signal, over.signal]));
      try {
        return await transfer.run(shipment, file, signal, how);
      } finally {
        over.abort();
        await recording;
      }
    },
  };
}

async function recordEvery(
  { context, records, everyMs }: RecordedTransferOptions,
  { sid, identity }: Shipment,
  { path, key, receipt }: FileRecord,
  signal: AbortSignal,
): Promise<void> {
  const target = {
    sid,
    session: identity.id,
    path,
    key,
    metadata: objectMetadata(context, identity),
    contentType: contentTypeOf(displayPath(path)),
    ...(receipt && { previous: receipt }),
  };
  for (;;) {
    await context.clock.sleep(everyMs, signal);
    if (signal.aborted) return;
    try {
      await records.write(target, identity, signal);
    } catch (error) {
      // The transfer goes on without it; the next turn tries again.
      if (!(error instanceof Failure || error instanceof IdentityTaken)) throw error;
    }
  }
}
