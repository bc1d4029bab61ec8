import { crc32 } from 'node:zlib';
import { combineCrc32, formatCrc32 } from '../domain/crc32-combine.ts';
import { Failure, FileFailure } from '../domain/failure.ts';
import type { PartRange } from '../domain/part-layout.ts';
import type { SentPart } from '../ports/part-store.ts';
import type { ByteSource } from '../ports/stored-object.ts';

const chunkBytes = 1024 * 1024;
/** One that is forgotten costs no more than reading its file again. */
const uploadsMax = 1000;

/** The file does not begin with what was sent of it. */
export class PrefixChanged extends Error {
  override readonly name = 'PrefixChanged';
}

/**
 * What this process knows of the parts in the ledger without reading them again: the state of the file (its
 * fingerprint) that they are known to come from. Any other state proves nothing, and a new process knows nothing.
 */
export class PartProofs {
  readonly #proven = new Map<string, { readonly state: string; readonly numbers: Set<number> }>();

  /** `state` was looked up before the part was read. */
  note(uploadId: string, part: number, state: string): void {
    const known = this.#proven.get(uploadId);
    if (known?.state === state) {
      known.numbers.add(part);
      return;
    }
    this.#proven.set(uploadId, { state, numbers: new Set([part]) });
    const oldest = this.#proven.keys().next().value;
    if (this.#proven.size > uploadsMax && oldest !== undefined) this.#proven.delete(oldest);
  }

  has(uploadId: string, part: number, state: string): boolean {
    const known = this.#proven.get(uploadId);
    return known?.state === state && known.numbers.has(part);
  }

  forget(uploadId: string): void {
    this.#proven.delete(uploadId);
  }
}

/** Throws PrefixChanged when one of `parts` is not what the file holds in its place now. */
export async function compareParts(
  source: ByteSource,
  ranges: readonly PartRange[],
  parts: ReadonlyMap<number, SentPart>,
  signal: AbortSignal,
): Promise<void> {
  for (const range of ranges) {
    if (formatCrc32(await crcOf(source, range, signal)) !== parts.get(range.number)?.crc32) {
      throw new PrefixChanged(`part ${range.number} at byte ${range.position} is not what was sent`);
    }
  }
}

/**
 * The checksums of `ranges`, which follow each other from the first byte, when the first `sizeBytes` bytes of the file
 * have the checksum `expected`; undefined when they do not, or there are fewer.
 */
export async function sumsOfEqualPrefix(
  source: ByteSource,
  ranges: readonly PartRange[],
  sizeBytes: number,
  expected: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, string> | undefined> {
  const sums = new Map<number, string>();
  let whole = 0;
  let position = 0;
  try {
    for (const range of ranges) {
      const crc = await crcOf(source, range, signal);
      sums.set(range.number, formatCrc32(crc));
      whole = combineCrc32(whole, crc, range.sizeBytes);
      position = range.position + range.sizeBytes;
    }
    const rest = { position, sizeBytes: sizeBytes - position };
    whole = combineCrc32(whole, await crcOf(source, rest, signal), rest.sizeBytes);
  } catch (error) {
    // Cut meanwhile: whoever sends the file will meet it.
    if (error instanceof FileFailure && error.reason === 'changing') return undefined;
    throw error;
  }
  return formatCrc32(whole) === expected ? sums : undefined;
}

async function crcOf(
  source: ByteSource,
  { position, sizeBytes }: Pick<PartRange, 'position' | 'sizeBytes'>,
  signal: AbortSignal,
): Promise<number> {
  const into = Buffer.allocUnsafe(Math.min(chunkBytes, sizeBytes));
  let crc = 0;
  for (let done = 0; done < sizeBytes; ) {
    if (signal.aborted) throw cancelled('reading again what was sent');
    const length = Math.min(chunkBytes, sizeBytes - done);
    crc = crc32(await source.read(position + done, length, into), crc);
    done += length;
  }
  return crc;
}

export function cancelled(doing: string): Failure {
  return new Failure({ kind: 'cancelled', code: 'AbortError', attempted: `${doing}: cancelled` });
}
