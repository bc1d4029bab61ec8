import type { Clock } from '../ports/clock.ts';

/**
 * How fast all bodies together may go. A slice of a body waits until what was sent before it is paid for; who asks
 * first goes first.
 */
export interface Bandwidth {
  /** What may be sent at once: small where the rate is low, so that no connection is silent for long. */
  readonly sliceBytes: number;
  /** Rejects with the signal's reason when that aborts first. */
  take(sizeBytes: number, signal: AbortSignal): Promise<void>;
}

/** Above it a connection gains nothing more from larger writes. */
const sliceBytesMax = 512 * 1024;
const sliceBytesMin = 1024;
/** How many slices a second go out at least, where the rate allows. */
const slicesPerSecond = 20;

export const unlimited: Bandwidth = { sliceBytes: sliceBytesMax, take: async () => {} };

export function createBandwidth(bytesPerSecondMax: number | undefined, clock: Clock): Bandwidth {
  if (bytesPerSecondMax === undefined) return unlimited;
  const wanted = Math.floor(bytesPerSecondMax / slicesPerSecond);
  const sliceBytes = Math.min(sliceBytesMax, Math.max(sliceBytesMin, wanted));
  let freeAtMs = Number.NEGATIVE_INFINITY;
  return {
    sliceBytes,
    async take(sizeBytes, signal) {
      signal.throwIfAborted();
      const nowMs = clock.monotonicMs();
      const startMs = Math.max(nowMs, freeAtMs);
      freeAtMs = startMs + (sizeBytes / bytesPerSecondMax) * 1000;
      if (startMs > nowMs) await clock.sleep(startMs - nowMs, signal);
      signal.throwIfAborted();
    },
  };
}
