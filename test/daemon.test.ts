import { expect, test } from 'vitest';
import { Daemon } from '../src/daemon.ts';
import type { Service } from '../src/ports/service.ts';
import { FakeClock } from './fakes/fake-clock.ts';
import { Recorder } from './support/services.ts';

interface Act {
  /** Settles run(), else it lasts until stop(). */
  readonly run?: () => Promise<void>;
  readonly drain?: (signal: AbortSignal) => Promise<void>;
  readonly stop?: () => Promise<void>;
}

/** Three services that write down what is asked of them, and a daemon around them. */
function group(acts: Readonly<Record<string, Act>> = {}) {
  const clock = new FakeClock();
  const events = new Recorder();
  const record: string[] = [];
  const services = ['first', 'second', 'third'].map((name): Service => {
    const act = acts[name] ?? {};
    const stopped = Promise.withResolvers<void>();
    return {
      name,
      run: () => {
        record.push(`run ${name}`);
        return Promise.race([stopped.promise, ...(act.run ? [act.run()] : [])]);
      },
      drain: async ({ atMs, signal }) => {
        record.push(`drain ${name} until ${atMs}`);
        await act.drain?.(signal);
      },
      stop: async () => {
        record.push(`stop ${name}`);
        stopped.resolve();
        await act.stop?.();
      },
    };
  });
  return { daemon: new Daemon({ services, clock, events }), clock, events, record };
}

const runs = ['run first', 'run second', 'run third'];
const stops = ['stop third', 'stop second', 'stop first'];
const drains = ['drain third until 5000', 'drain second until 5000', 'drain first until 5000'];
const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

test('services start in order, drain in reverse with one deadline, and stop in reverse', async () => {
  const { daemon, record } = group();
  const run = daemon.run();
  await daemon.drain(5000);
  await run;
  expect(record).toEqual([...runs, ...drains, ...stops]);
});

test('what must be over before any runs is done in order, and when it fails none runs', async () => {
  const { record, ...parts } = group();
  const preparing = (name: string, fails = false): Service => ({
    name,
    prepare: async () => {
      record.push(`prepare ${name}`);
      if (fails) throw new Error('disk is gone');
    },
    run: async () => void record.push(`run ${name}`),
    stop: async () => void record.push(`stop ${name}`),
  });
  await new Daemon({ ...parts, services: [preparing('a'), preparing('b')] }).run();
  expect(record.splice(0)).toEqual(['prepare a', 'prepare b', 'run a', 'run b', 'stop b', 'stop a']);
  const services = [preparing('a', true), preparing('b')];
  await expect(new Daemon({ ...parts, services }).run()).rejects.toThrow('disk is gone');
  expect(record).toEqual(['prepare a', 'stop b', 'stop a']);
});

test('stopped while it prepares, it runs nothing', async () => {
  const { record, ...parts } = group();
  const preparing = Promise.withResolvers<void>();
  const service: Service = {
    name: 'a',
    prepare: () => preparing.promise,
    run: async () => void record.push('run a'),
    stop: async () => void record.push('stop a'),
  };
  const daemon = new Daemon({ ...parts, services: [service] });
  const run = daemon.run();
  await daemon.stop();
  preparing.resolve();
  await run;
  expect(record).toEqual(['stop a']);
});

test('the first service that ends stops all', async () => {
  const end = Promise.withResolvers<void>();
  const { daemon, record } = group({ second: { run: () => end.promise } });
  const run = daemon.run();
  expect(record).toEqual(runs);
  end.resolve();
  await run;
  expect(record).toEqual([...runs, ...stops]);
});

test('the first failure stops all, is told with its service, and is thrown', async () => {
  const { daemon, record, events } = group({
    second: { run: () => Promise.reject(new Error('disk is gone')) },
    third: { run: () => Promise.reject(new Error('later')) },
  });
  await expect(daemon.run()).rejects.toThrow('disk is gone');
  expect(record).toEqual([...runs, ...stops]);
  expect(events.of('service.failed')[0]).toEqual({ service: 'second', cause: 'disk is gone' });
});

test('a failure during a drain ends the drain', async () => {
  const failing = Promise.withResolvers<void>();
  const { daemon, record } = group({
    first: { run: () => failing.promise },
    second: { drain: untilAborted },
  });
  const run = daemon.run();
  const drain = daemon.drain(5000);
  failing.reject(new Error('disk is gone'));
  await expect(run).rejects.toThrow('disk is gone');
  await drain;
  // Nobody is asked to drain any more once all are told to stop, but the one whose turn it was.
  expect(record.filter((line) => line.startsWith('stop'))).toEqual(stops);
});

test('a service that ends because it was drained does not cut the others short', async () => {
  const ended = Promise.withResolvers<void>();
  const { daemon, record } = group({
    third: { run: () => ended.promise, drain: async () => ended.resolve() },
  });
  const run = daemon.run();
  await daemon.drain(5000);
  await run;
  expect(record).toEqual([...runs, ...drains, ...stops]);
});

test('the deadline is over for all at the same time', async () => {
  const aborted: number[] = [];
  const act: Act = {
    drain: async (signal) => {
      if (!signal.aborted) await untilAborted(signal);
      aborted.push(clock.monotonicMs());
    },
  };
  const { daemon, clock, record } = group({ third: act, second: act, first: act });
  const run = daemon.run();
  const drain = daemon.drain(5000);
  await clock.advance(4999);
  expect(record).toEqual([...runs, ...drains.slice(0, 1)]);
  await clock.advance(1);
  await drain;
  await run;
  expect(aborted).toEqual([5000, 5000, 5000]);
  expect(record).toEqual([...runs, ...drains, ...stops]);
});

test('a stop during a drain stops at once, and a drain that was under way is told', async () => {
  const { daemon, clock, record } = group({ third: { drain: untilAborted } });
  const run = daemon.run();
  const drain = daemon.drain(5000);
  await daemon.stop();
  await run;
  await drain;
  expect(clock.monotonicMs()).toBe(0);
  expect(record).toEqual([...runs, 'drain third until 5000', ...stops]);
});

test('draining twice and stopping twice is doing it once', async () => {
  const { daemon, record } = group();
  const run = daemon.run();
  await Promise.all([daemon.drain(5000), daemon.drain(1)]);
  await Promise.all([daemon.stop(), daemon.stop()]);
  await daemon.drain(5000);
  await run;
  expect(record).toEqual([...runs, ...drains, ...stops]);
});

test('a stop that throws does not keep the others from stopping, and is thrown', async () => {
  const { daemon, record } = group({
    third: { stop: () => Promise.reject(new Error('third')) },
    second: { stop: () => Promise.reject(new Error('second')) },
  });
  const run = daemon.run();
  const failed = expect(run).rejects.toThrow('third');
  await expect(daemon.stop()).rejects.toThrow('third');
  await failed;
  expect(record).toEqual([...runs, ...stops]);
});

test('a stop that throws does not hide why all were stopped', async () => {
  const { daemon, record } = group({
    first: { run: () => Promise.reject(new Error('disk is gone')) },
    third: { stop: () => Promise.reject(new Error('third')) },
  });
  await expect(daemon.run()).rejects.toThrow('disk is gone');
  expect(record).toEqual([...runs, ...stops]);
});

test('a drain that throws stops all, and is thrown', async () => {
  const { daemon, record } = group({ second: { drain: () => Promise.reject(new Error('journal is gone')) } });
  const failed = expect(daemon.run()).rejects.toThrow('journal is gone');
  await expect(daemon.drain(5000)).rejects.toThrow('journal is gone');
  await failed;
  expect(record).toEqual([...runs, ...drains.slice(0, 2), ...stops]);
});
