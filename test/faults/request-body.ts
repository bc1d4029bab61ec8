import { Transform, type TransformCallback } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from './fault.ts';

/** The rule took the connection away; nothing of it is left to answer on. */
export class ConnectionTaken extends Error {
  override readonly name = 'ConnectionTaken';
}

/** Counts what passes. */
export class Meter extends Transform {
  bytes = 0;

  override _transform(chunk: Buffer, _: string, done: TransformCallback): void {
    this.bytes += chunk.length;
    done(null, chunk);
  }
}

/** What a fault does to a request's body on its way; undefined: nothing. `act` happens once, at its byte. */
export function bodyStep(fault: Fault | undefined, act: () => Promise<void>): Transform | undefined {
  if (fault === undefined) return undefined;
  if ('at' in fault && fault.at === 'body') return atByte(fault.afterBytes ?? 0, act);
  if (fault.do === 'limit') return throttled(fault.bytesPerSecond);
  if (fault.do === 'corrupt' && fault.what === 'request') return oneByteOff();
  return undefined;
}

function atByte(position: number, act: () => Promise<void>): Transform {
  let left = position;
  let acted = false;
  return step(async (chunk, push) => {
    if (!acted && chunk.length >= left) {
      acted = true;
      push(chunk.subarray(0, left));
      await act();
      push(chunk.subarray(left));
      return;
    }
    left -= chunk.length;
    push(chunk);
  });
}

function throttled(bytesPerSecond: number): Transform {
  return step(async (chunk, push) => {
    await delay((chunk.length / bytesPerSecond) * 1000);
    push(chunk);
  });
}

function oneByteOff(): Transform {
  let isFirst = true;
  return step(async (chunk, push) => {
    if (isFirst) push(flipMiddle(chunk));
    else push(chunk);
    isFirst = false;
  });
}

export function flipMiddle(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  const middle = changed.length >> 1;
  changed[middle] = (changed[middle] ?? 0) ^ 0x01;
  return changed;
}

function step(work: (chunk: Buffer, push: (bytes: Buffer) => void) => Promise<void>): Transform {
  return new Transform({
    transform(chunk: Buffer, _, done) {
      work(chunk, (bytes) => this.push(bytes)).then(() => done(), done);
    },
  });
}
