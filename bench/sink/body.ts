import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { crc32 } from 'node:zlib';
import { keptBodyBytesMax } from './objects.ts';

export interface ReceivedBody {
  readonly sizeBytes: number;
  /** MD5 in hex where it is known, else random: an ETag like that of an encrypted object. */
  readonly etag: string;
  readonly crc32: string | undefined;
  /** Undefined for bodies that were too large to keep. */
  readonly bytes: Buffer | undefined;
}

export interface LargeSums {
  /** Against what was sent. */
  readonly verify: boolean;
  /** For clients that compare every ETag with the MD5 that they computed. */
  readonly etags: boolean;
}

/** The client sent a checksum, and the bytes do not have it. */
export class BadDigest extends Error {}

/**
 * Counts what arrives. Small bodies are kept and checked against the checksums that were sent; of large ones the
 * checksums are believed, unless `large` says otherwise, so that the sink's own arithmetic is not what is measured.
 */
export async function receive(request: IncomingMessage, large: LargeSums): Promise<ReceivedBody> {
  const declaredBytes = Number(request.headers['content-length'] ?? Number.NaN);
  const sentMd5 = header(request, 'content-md5');
  const sentCrc32 = header(request, 'x-amz-checksum-crc32');
  const keeps = declaredBytes <= keptBodyBytesMax;
  const md5 = !keeps && (large.verify || large.etags) ? createHash('md5') : undefined;
  const kept: Buffer[] = [];
  let sizeBytes = 0;
  let crc = 0;
  request.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (keeps) kept.push(chunk);
    md5?.update(chunk);
    if (large.verify && !keeps) crc = crc32(chunk, crc);
  });
  await new Promise<void>((resolve, reject) => {
    request.once('end', resolve);
    request.once('error', reject);
    request.once('close', () => reject(new Error('the client went away')));
  });
  const bytes = keeps ? Buffer.concat(kept) : undefined;
  const ownMd5 = bytes ? createHash('md5').update(bytes).digest() : md5?.digest();
  const ownCrc = bytes ? crc32(bytes) : crc;
  if (ownMd5 && sentMd5 !== undefined && ownMd5.toString('base64') !== sentMd5) throw new BadDigest('MD5');
  if ((bytes || large.verify) && sentCrc32 !== undefined && asBase64(ownCrc) !== sentCrc32)
    throw new BadDigest('CRC-32');
  const known = ownMd5 ?? (sentMd5 === undefined ? undefined : Buffer.from(sentMd5, 'base64'));
  return { sizeBytes, etag: (known ?? randomBytes(16)).toString('hex'), crc32: sentCrc32, bytes };
}

export function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function asBase64(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc >>> 0);
  return bytes.toString('base64');
}
