import { crc32 } from 'node:zlib';
import { formatCrc32 } from '../domain/crc32-combine.ts';
import { Failure } from '../domain/failure.ts';
import type { ByteSource } from '../ports/object-store.ts';
import { type BodySums, SumBuilder, type WantedSums } from './body-sums.ts';
import type { BufferPool, Lease } from './buffer-pool.ts';
import type { Summing, SumThread } from './sum-thread.ts';

/** What bodies are made with: the memory that holds them, and who sums them. */
export interface BodyMeans {
  readonly pool: BufferPool;
  readonly sumThread: Pick<SumThread, 'begin'>;
}

/** Resolves when the bytes are not needed any more. */
export type Write = (bytes: Buffer) => Promise<void>;

/** The bytes of one request: summed before it is sent, because the sums are in its head, and sent as often as needed. */
export interface Body {
  readonly sizeBytes: number;
  readonly sums: BodySums;
  /** Throws what the source threw, a Failure when the bytes are not those that were summed, or what `write` threw. */
  send(write: Write): Promise<void>;
  release(): void;
}

export interface BodyRange {
  readonly source: ByteSource;
  readonly position: number;
  readonly sizeBytes: number;
  /** Asked after the last byte was read and before it is sent, of a body that is read twice. */
  readonly beforeEnd?: () => Promise<void>;
}

/**
 * A body that fits its share of the pool is read once and held. A larger one is read twice through two small chunks:
 * to sum it, and to send it, when what is sent is summed again and held against the first time before its last bytes go.
 */
export async function openBody(
  range: BodyRange,
  { pool, sumThread }: BodyMeans,
  wanted: WantedSums,
  signal: AbortSignal,
): Promise<Body> {
  const isHeld = range.sizeBytes <= pool.bodyBytesMax;
  const lease = await pool.lease(isHeld ? range.sizeBytes : 2 * pool.chunkBytes, signal);
  const summing = sumThread.begin(range.sizeBytes, wanted);
  try {
    const pieces: Buffer[] = [];
    for await (const piece of read(range, pool.chunkBytes, lease)) {
      signal.throwIfAborted();
      summing.update(piece);
      if (isHeld) pieces.push(piece);
      else await summing.caughtUp();
    }
    const head = { sizeBytes: range.sizeBytes, sums: await summing.finish(), release: lease.release };
    if (!isHeld)
      return { ...head, send: (write) => sendAgain(range, pool.chunkBytes, lease, head.sums, write) };
    return { ...head, send: (write) => sendHeld(pieces, write) };
  } catch (error) {
    await letGo(summing, lease);
    throw error;
  }
}

/** What is still being summed is nobody else's memory yet. */
async function letGo(summing: Summing, lease: Lease): Promise<void> {
  await summing.caughtUp().catch(() => {}); // reason: a thread that ended reads no memory any more
  summing.drop();
  lease.release();
}

/** Round and round through the chunks of the lease: a piece is good until as many more were read. */
async function* read(range: BodyRange, chunkBytes: number, { chunks }: Lease): AsyncGenerator<Buffer> {
  for (let at = 0, turn = 0; at < range.sizeBytes; at += chunkBytes, turn++) {
    const length = Math.min(chunkBytes, range.sizeBytes - at);
    yield await range.source.read(range.position + at, length, chunks[turn % chunks.length]);
  }
}

async function sendHeld(pieces: readonly Buffer[], write: Write): Promise<void> {
  let before: Promise<void> = Promise.resolve();
  for (const piece of pieces) {
    const writing = start(piece, write);
    // Two on their way, so that the connection always has something to send.
    await before;
    before = writing;
  }
  await before;
}

/** Awaited a turn later, when it may long have failed. */
function start(piece: Buffer, write: Write): Promise<void> {
  const writing = write(piece);
  writing.catch(() => {}); // reason: whoever awaits it in the next turn is told
  return writing;
}

async function sendAgain(
  range: BodyRange,
  chunkBytes: number,
  lease: Lease,
  { crc32: expected }: BodySums,
  write: Write,
): Promise<void> {
  let before: Promise<void> = Promise.resolve();
  let at = 0;
  let crc = 0;
  for await (const piece of read(range, chunkBytes, lease)) {
    crc = crc32(piece, crc);
    at += piece.length;
    // The other chunk is read into next.
    await before;
    if (at === range.sizeBytes) {
      if (formatCrc32(crc) !== expected) throw await unlike(range);
      await range.beforeEnd?.();
    }
    before = start(piece, write);
  }
  await before;
}

/** What the source says of itself comes first. */
async function unlike({ source }: BodyRange): Promise<Failure> {
  await source.assertUnchanged();
  return new Failure({
    kind: 'transient',
    code: 'IntegrityMismatch',
    attempted: 'sending a file: its bytes were others when they were read again',
  });
}

/** A body that is in memory anyway. */
export function bodyOf(bytes: Buffer, wanted: WantedSums): Body {
  const sums = new SumBuilder(wanted);
  sums.update(bytes);
  return { sizeBytes: bytes.length, sums: sums.finish(), send: (write) => write(bytes), release: () => {} };
}
