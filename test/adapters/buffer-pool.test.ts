import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BufferPool, type Lease } from '../../src/adapters/buffer-pool.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

const never = new AbortController().signal;

function poolOf(chunks: number, clock = new FakeClock()) {
  return new BufferPool({ bytesMax: chunks * 10, chunkBytes: 10, clock });
}

describe('BufferPool', () => {
  test('never holds more than it may, and serves everybody, whatever is asked and given back', async () => {
    const asked = fc.array(fc.integer({ min: 0, max: 80 }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(asked, fc.infiniteStream(fc.nat(5)), async (sizes, turns) => {
        const pool = poolOf(8);
        let served = 0;
        let inUse = 0;
        const users = sizes.map(async (size) => {
          const lease = await pool.lease(size, never);
          inUse += lease.chunks.length;
          expect(lease.chunks.length * 10).toBeGreaterThanOrEqual(size);
          expect(inUse * 10).toBeLessThanOrEqual(80);
          expect(pool.heldBytes).toBeLessThanOrEqual(80);
          for (let turn = turns.next().value ?? 0; turn > 0; turn--) await Promise.resolve();
          inUse -= lease.chunks.length;
          served += 1;
          lease.release();
          lease.release();
        });
        await Promise.all(users);
        expect(served).toBe(sizes.length);
      }),
    );
  });

  test('serves in the order of asking, and lets nobody small overtake', async () => {
    const pool = poolOf(4);
    const order: string[] = [];
    const first = await pool.lease(30, never);
    const lease = (name: string, size: number) =>
      pool.lease(size, never).then((given) => {
        order.push(name);
        return given;
      });
    const large = lease('large', 40);
    const small = lease('small', 10);
    await Promise.resolve();
    expect(order).toEqual([]);
    first.release();
    (await large).release();
    (await small).release();
    expect(order).toEqual(['large', 'small']);
  });

  test('uses its chunks again', async () => {
    const pool = poolOf(4);
    const first = await pool.lease(25, never);
    first.release();
    const again = await pool.lease(25, never);
    expect(new Set(again.chunks)).toEqual(new Set(first.chunks));
    expect(pool.heldBytes).toBe(30);
  });

  test('lets a waiting one go whose signal aborts, and serves who is behind it', async () => {
    const pool = poolOf(4);
    const first = await pool.lease(30, never);
    const stop = new AbortController();
    const stopped = pool.lease(40, stop.signal);
    const behind = pool.lease(10, never);
    stop.abort(new Error('no longer wanted'));
    await expect(stopped).rejects.toThrow('no longer wanted');
    expect((await behind).chunks).toHaveLength(1);
    first.release();
    await expect(pool.lease(10, AbortSignal.abort(new Error('late')))).rejects.toThrow('late');
  });

  test('gives most of its memory back once nothing was on its way for a while', async () => {
    const clock = new FakeClock();
    const pool = poolOf(40, clock);
    (await pool.lease(400, never)).release();
    await clock.advance(6_000);
    const lease: Lease = await pool.lease(400, never);
    await clock.advance(6_000);
    lease.release();
    expect(pool.heldBytes).toBe(400);
    await clock.advance(60_000);
    expect(pool.heldBytes).toBe(80);
    pool.close();
    expect(pool.heldBytes).toBe(0);
  });

  test('refuses what can never be served', async () => {
    await expect(poolOf(4).lease(41, never)).rejects.toThrow('41');
    expect(() => poolOf(1)).toThrow('10 bytes');
  });
});
