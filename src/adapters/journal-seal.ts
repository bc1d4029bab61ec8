import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { JournalDamaged } from './journal-trouble.ts';

/**
 * The checksum of a journal that was closed in order. SQLite sees damage to its own structure; a bit that flipped in the
 * middle of a text it gives back as it is. After a crash there is none: the log has checksums of its own.
 */
interface Seal {
  readonly sizeBytes: number;
  /** Whoever writes to the file moves it, and breaks the seal: that is no damage. */
  readonly mtimeMs: number;
  readonly crc32: number;
}

/** Reading takes about half a millisecond for each MB that is in the system's cache. */
const sealedBytesMax = 256 * 1024 * 1024;
const chunkBytes = 1024 * 1024;

/** True when the bytes are those that were closed, false when that cannot be told. Throws JournalDamaged. */
export function assertSealed(stateDirectory: string, file: string): boolean {
  const seal = readSeal(stateDirectory);
  if (!seal || !existsSync(file) || existsSync(`${file}-wal`)) return false;
  const { size, mtimeMs } = statSync(file);
  if (size !== seal.sizeBytes || Math.floor(mtimeMs) !== seal.mtimeMs) return false;
  if (checksumOf(file) !== seal.crc32) throw new JournalDamaged('its bytes are not those that were written');
  return true;
}

export function breakSeal(stateDirectory: string): void {
  rmSync(sealFile(stateDirectory), { force: true });
}

/** Of a closed journal. Never throws: without a seal the next start only knows less. */
export function sealJournal(stateDirectory: string, file: string): void {
  try {
    const { size, mtimeMs } = statSync(file);
    if (size > sealedBytesMax || existsSync(`${file}-wal`)) return;
    const seal: Seal = { sizeBytes: size, mtimeMs: Math.floor(mtimeMs), crc32: checksumOf(file) };
    writeFileSync(sealFile(stateDirectory), `${JSON.stringify(seal)}\n`, { mode: 0o600 });
  } catch {
    // reason: a disk that is full or gone was told about, or will be at the next start
  }
}

function sealFile(stateDirectory: string): string {
  return join(stateDirectory, 'journal.seal');
}

function readSeal(stateDirectory: string): Seal | undefined {
  try {
    return JSON.parse(readFileSync(sealFile(stateDirectory), 'utf8')) as Seal;
  } catch {
    return undefined; // reason: none, or half of one: it says nothing
  }
}

function checksumOf(file: string): number {
  const descriptor = openSync(file, 'r');
  try {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    let sum = 0;
    for (;;) {
      const length = readSync(descriptor, buffer, 0, chunkBytes, null);
      if (length === 0) return sum;
      sum = crc32(buffer.subarray(0, length), sum);
    }
  } finally {
    closeSync(descriptor);
  }
}
