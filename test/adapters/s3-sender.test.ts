import { describe, expect, test } from 'vitest';
import type { Bandwidth } from '../../src/adapters/bandwidth.ts';
import type { Body, Write } from '../../src/adapters/s3-body.ts';
import { patternBytes } from '../support/byte-source.ts';
import { engineAt } from '../support/s3-engine.ts';
import { scriptedS3 } from '../support/scripted-s3.ts';

const never = new AbortController().signal;
const sliceBytes = 100;
const sums = { crc32: 'AAAAAA==', md5: undefined, sha256: undefined };

/** All pieces are begun at once, as two of a body are that is read ahead of its sending. */
function bodyOf(pieces: readonly Buffer[]): Body {
  const sizeBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const send = async (write: Write) => {
    for (const sent of await Promise.allSettled(pieces.map(write)))
      if (sent.status === 'rejected') throw sent.reason;
  };
  return { sizeBytes, sums, send, release: () => {} };
}

async function sending(bandwidth: Bandwidth, pieces: readonly Buffer[], signal = never) {
  const server = await scriptedS3(() => ({ status: 200, headers: { etag: '"e"' } }));
  const { sender } = engineAt(server.endpoint, { bandwidth });
  const moved: number[] = [];
  const request = { key: 'k', headers: {}, body: bodyOf(pieces), repeatable: false };
  const result = sender.put(request, signal, (sentBytes) => moved.push(sentBytes));
  return { result, moved, requests: server.requests };
}

describe('a body whose pieces overlap', () => {
  const pieces = [patternBytes(350, 1), patternBytes(120, 2), patternBytes(30, 3)];

  test('arrives in the order of its bytes, however long each slice waits for its leave', async () => {
    const waiting: { readonly sizeBytes: number; readonly leave: () => void }[] = [];
    const take = async (sizeBytes: number) => {
      // Those who ask later are let go first.
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.unshift({ sizeBytes, leave: resolve });
      setImmediate(() => waiting.shift()?.leave());
      await promise;
    };
    const { result, moved, requests } = await sending({ sliceBytes, take }, pieces);
    await result;
    expect(requests[0]?.body.equals(Buffer.concat(pieces))).toBe(true);
    // Told slice by slice: a piece of half a MiB takes hours where the rate is low.
    expect(moved).toEqual([100, 200, 300, 350, 450, 470, 500]);
  });

  test('asks for leave slice by slice, never for two pieces at once', async () => {
    const asked: number[] = [];
    let inside = 0;
    const take = async (sizeBytes: number) => {
      inside += 1;
      expect(inside).toBe(1);
      asked.push(sizeBytes);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    };
    const { result } = await sending({ sliceBytes, take }, pieces);
    await result;
    expect(asked).toEqual([100, 100, 100, 50, 100, 20, 30]);
  });

  test('ends with what kept one of them back, and nothing of a later one is sent', async () => {
    const stop = new AbortController();
    let taken = 0;
    const take = async (_: number, signal: AbortSignal) => {
      taken += 1;
      if (taken === 2) stop.abort(new Error('stopped'));
      signal.throwIfAborted();
    };
    const { result, moved, requests } = await sending({ sliceBytes, take }, pieces, stop.signal);
    await expect(result).rejects.toThrow();
    expect(moved).toEqual([]);
    expect(requests).toEqual([]);
  });
});
