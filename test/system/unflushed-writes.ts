import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

/**
 * A disk may keep in a cache what it was given, until it is told to flush; with the power the cache is gone. The emulator
 * logs what it was given, in order, in the format of the kernel's dm-log-writes
 * (Documentation/admin-guide/device-mapper/log-writes.rst, drivers/md/dm-log-writes.c): one sector that counts the
 * entries, then for each one a sector that describes it, and its bytes.
 */
const magic = 0x6a736677736872n;
const flags = { flush: 1n, discard: 4n } as const;
const sectorBytes = 512;

interface Entry {
  readonly atBytes: number;
  readonly sizeBytes: number;
  readonly isFlush: boolean;
  readonly isDiscard: boolean;
  /** Where its bytes stand in the log. */
  readonly from: number;
}

export interface WritesLeft {
  readonly kept: number;
  readonly dropped: number;
}

/** Brings the disk, as it was when the log began, to what a disk holds that lost everything since the last flush. */
export function dropUnflushed(
  disk: string,
  log: string,
): { readonly kept: number; readonly dropped: number } {
  const from = openSync(log, 'r');
  const to = openSync(disk, 'r+');
  try {
    const entries = readEntries(from);
    const kept = entries.findLastIndex(({ isFlush }) => isFlush) + 1;
    for (const entry of entries.slice(0, kept)) apply(entry, from, to);
    return { kept, dropped: entries.length - kept };
  } finally {
    closeSync(from);
    closeSync(to);
  }
}

/** The count in the first sector may lag behind: what counts is what is there. */
function readEntries(log: number): Entry[] {
  const head = bytesAt(log, 0, sectorBytes);
  const size = head.readUInt32LE(24);
  if (head.readBigUInt64LE(0) !== magic || size !== sectorBytes)
    throw new Error(`the log of writes begins with ${head.toString('hex', 0, 32)}`);
  const entries: Entry[] = [];
  const logBytes = fstatSync(log).size;
  let at = sectorBytes;
  while (at + sectorBytes <= logBytes) {
    const described = bytesAt(log, at, 32);
    const [sector = 0n, sectors = 0n, flag = 0n] = [0, 8, 16].map((place) =>
      described.readBigUInt64LE(place),
    );
    // Nothing was described here yet when the power went.
    if (sectors === 0n && flag === 0n) break;
    const isDiscard = (flag & flags.discard) !== 0n;
    const sizeBytes = Number(sectors) * sectorBytes;
    const from = at + sectorBytes;
    const isFlush = (flag & flags.flush) !== 0n;
    entries.push({ atBytes: Number(sector) * sectorBytes, sizeBytes, isFlush, isDiscard, from });
    at = from + (isDiscard ? 0 : sizeBytes);
  }
  return entries;
}

function apply({ atBytes, sizeBytes, isDiscard, from }: Entry, log: number, disk: number): void {
  // What was discarded may read as anything, and stays.
  if (isDiscard || sizeBytes === 0) return;
  const bytes = bytesAt(log, from, sizeBytes);
  if (writeSync(disk, bytes, 0, sizeBytes, atBytes) !== sizeBytes) throw new Error('the disk is full');
}

function bytesAt(file: number, at: number, count: number): Buffer {
  const bytes = Buffer.alloc(count);
  if (readSync(file, bytes, 0, count, at) !== count) throw new Error(`the log of writes ends within ${at}`);
  return bytes;
}
