import { createHash } from 'node:crypto';

/** In [0, 1), for ever the same of one host: where in a period it does what a fleet must not do all at once. */
export function spreadOf(host: string): number {
  return createHash('sha256').update(host).digest().readUInt16BE(0) / 0x10000;
}
