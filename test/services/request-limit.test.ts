import { expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { RequestLimit } from '../../src/services/request-limit.ts';
import { Recorder } from '../support/services.ts';

const slowDown = () =>
  new Failure({ kind: 'transient', code: 'SlowDown', attempted: 'writing: SlowDown', throttled: true });

class Bench {
  readonly events = new Recorder();
  readonly limit: RequestLimit;
  inFlight = 0;
  #most = 0;

  constructor(requestsMax = 16) {
    this.limit = new RequestLimit({ name: 's3://b', events: this.events, requestsMax });
  }

  /** Requests at once that end when they are told to. */
  begin(count: number): { end(error?: Error): Promise<void> } {
    const gate = Promise.withResolvers<void>();
    const runs = Array.from({ length: count }, () =>
      this.limit.run(async () => {
        this.inFlight += 1;
        this.#most = Math.max(this.#most, this.inFlight);
        try {
          await gate.promise;
        } finally {
          this.inFlight -= 1;
        }
      }),
    );
    const over = Promise.allSettled(runs);
    return {
      end: async (error) => {
        if (error) gate.reject(error);
        else gate.resolve();
        await over;
      },
    };
  }

  /** How many of many requests run at once now. */
  async most(): Promise<number> {
    this.#most = 0;
    const many = this.begin(40);
    await new Promise((resolve) => setImmediate(resolve));
    await many.end();
    return this.#most;
  }
}

test('no more requests than configured are under way at once, and nothing is said of it', async () => {
  const bench = new Bench(16);
  expect(await bench.most()).toBe(16);
  expect(bench.limit.state()).toBeUndefined();
  expect(bench.events.all).toEqual([]);
});

test('a burst that is throttled halves what was in flight, once', async () => {
  const bench = new Bench(16);
  await bench.begin(8).end(slowDown());
  expect(bench.limit.state()).toEqual({ requests: 4, of: 16 });
  expect(bench.events.of('destination.throttled')).toEqual([
    { destination: 's3://b', code: 'SlowDown', requests: 4, of: 16 },
  ]);
});

test('throttled again and again it comes down to one, told once', async () => {
  const bench = new Bench(16);
  for (let round = 0; round < 6; round++) await bench.begin(16).end(slowDown());
  expect(bench.limit.state()).toEqual({ requests: 1, of: 16 });
  expect(bench.events.of('destination.throttled')).toHaveLength(1);
});

test('each full round of successes adds one, up to what is configured, and the end is told once', async () => {
  const bench = new Bench(4);
  await bench.begin(2).end(slowDown());
  expect(bench.limit.state()).toEqual({ requests: 1, of: 4 });
  const seen: (number | undefined)[] = [];
  for (let success = 0; success < 8; success++) {
    await bench.begin(1).end();
    seen.push(bench.limit.state()?.requests);
  }
  expect(seen).toEqual([2, 2, 3, 3, 3, undefined, undefined, undefined]);
  expect(bench.events.of('destination.unthrottled')).toEqual([{ destination: 's3://b', requests: 4 }]);
  expect(await bench.most()).toBe(4);
});

test('other failures change nothing', async () => {
  const bench = new Bench(16);
  await bench
    .begin(8)
    .end(new Failure({ kind: 'transient', code: 'InternalError', attempted: 'writing: 500' }));
  await bench.begin(8).end(new Error('a bug'));
  expect(bench.limit.state()).toBeUndefined();
});
