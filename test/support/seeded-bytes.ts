import { createCipheriv, createHash } from 'node:crypto';

/** Many bytes that a name repeats, made fast. The same name gives the same beginning, whatever the length. */
export function seededBytes(name: string, length: number, position = 0): Buffer {
  const key = createHash('sha256').update(name).digest().subarray(0, 16);
  const blockBytes = 16;
  const counter = Buffer.alloc(blockBytes);
  counter.writeBigUInt64BE(BigInt(Math.floor(position / blockBytes)), 8);
  const skipped = position % blockBytes;
  const cipher = createCipheriv('aes-128-ctr', key, counter);
  return cipher.update(Buffer.alloc(skipped + length)).subarray(skipped);
}
