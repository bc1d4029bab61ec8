import { unfinishedFiles } from '../domain/recovered-log.ts';
import type { CompanionEntry, SessionLog } from '../domain/session-log.ts';
import { displayPath, type WatchedPath } from '../domain/watched-path.ts';
import type { AdoptedFile, Shipment } from '../ports/journal.ts';
import type { Receipt } from '../ports/object-store.ts';
import { isOurs, type ShippingContext } from './shipping-context.ts';

/**
 * What the journal takes over from a log of ours that it did not know. Where it has another receipt the log may be older
 * than that, or another host completed the file since: the bucket alone knows which of the two objects is there. Throws
 * Failure.
 */
export async function adoptedFiles(
  context: ShippingContext,
  shipment: Shipment,
  { companions }: Pick<SessionLog, 'companions'>,
  signal: AbortSignal,
): Promise<readonly AdoptedFile[]> {
  const { journal, clock } = context;
  const known = new Map(journal.files(shipment.sid).map((file) => [file.key, file]));
  const adopted: AdoptedFile[] = [];
  for (const companion of companions) {
    const file = known.get(companion.key);
    const row = { ...adoptedFile(companion, clock.nowMs()), ...(file && { path: file.path }) };
    const isReplaced =
      file?.receipt && (await isThereInstead(context, shipment, companion, file.receipt, signal));
    adopted.push(isReplaced ? { ...row, replaced: file.receipt.etag } : row);
  }
  return adopted;
}

/**
 * Files that such a log waits for, and whose receipt is not of what is at their key: another host may have completed them
 * and not have come to say so. Throws Failure.
 */
export async function replacedFiles(
  { journal, store }: ShippingContext,
  { sid }: Shipment,
  log: SessionLog,
  signal: AbortSignal,
): Promise<readonly WatchedPath[]> {
  const listed = new Set(log.companions.map(({ key }) => key));
  const awaited = new Set(unfinishedFiles(log).map(({ path }) => path));
  const replaced: WatchedPath[] = [];
  for (const { path, key, receipt } of journal.files(sid)) {
    if (!receipt || listed.has(key) || !awaited.has(displayPath(path))) continue;
    if ((await store.find(key, signal))?.etag !== receipt.etag) replaced.push(path);
  }
  return replaced;
}

async function isThereInstead(
  { store }: ShippingContext,
  { identity }: Shipment,
  { key, etag }: CompanionEntry,
  receipt: Receipt,
  signal: AbortSignal,
): Promise<boolean> {
  if (receipt.etag === etag) return false;
  const found = await store.find(key, signal);
  return found?.etag === etag && isOurs(found, identity);
}

function adoptedFile(companion: CompanionEntry, nowMs: number): AdoptedFile {
  const { path, key, etag, bytes, crc32 = '', contentType = '', partSize, truncated } = companion;
  const receipt = {
    etag,
    sizeBytes: bytes,
    crc32,
    contentType,
    device: '',
    receivedAtMs: nowMs,
    ...(partSize !== undefined && { partSizeBytes: partSize }),
    ...(truncated && { truncated }),
  };
  return { path, key, receipt };
}
