import { expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { DestinationGate } from '../../src/services/destination-gate.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { Recorder } from '../support/services.ts';

const limits = { baseDelayMs: 1_000, maxDelayMs: 60_000 };

function blocked(code = 'ExpiredToken', retryAfterMs?: number): Failure {
  return new Failure({
    kind: 'blocked',
    code,
    attempted: `writing "k": ${code}`,
    remedy: 'renew it',
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** A gate and a destination of which a test says what it answers. */
function gateOf() {
  const clock = new FakeClock();
  clock.random(); // reason: the first of its sequence is next to nothing, and so would be the first delay
  const events = new Recorder();
  const gate = new DestinationGate({ name: 's3://b', clock, events, limits });
  /** Who asked the destination, and when, in ms. */
  const asked: string[] = [];
  const answers = { failure: blocked() as Failure | undefined, denied: new Set<string>() };
  const abort = new AbortController();
  const settled: string[] = [];
  const write = (name: string, signal = abort.signal) => {
    const work = async () => {
      asked.push(`${name} ${Math.floor(clock.monotonicMs() / 1000)}`);
      await clock.sleep(0);
      if (answers.denied.has(name)) throw blocked('AccessDenied');
      if (answers.failure) throw answers.failure;
      gate.served.writes += 1;
      return name;
    };
    /** As a session does: denied, it steps aside and comes again. */
    const attempt = (): Promise<string | undefined> =>
      gate.through(signal, name.charCodeAt(0), work).catch(async (error: Failure) => {
        if (error.kind !== 'blocked') throw error;
        await clock.sleep(gate.waitMs, signal);
        return signal.aborted ? undefined : attempt();
      });
    const result = attempt();
    result.then(
      (value) => settled.push(value ?? `${name} aborted`),
      (error: Failure) => settled.push(`${name} ${error.kind} ${error.code}`),
    );
    return result;
  };
  return { clock, events, gate, asked, answers, abort, settled, write };
}

test('an open gate lets everyone through at once', async () => {
  const { answers, write, asked, clock } = gateOf();
  answers.failure = undefined;
  const writes = Promise.all([write('a'), write('b')]);
  await clock.advance(0);
  expect(await writes).toEqual(['a', 'b']);
  expect(asked).toEqual(['a 0', 'b 0']);
});

test('a blocked destination is asked by one at a time, at a pace that is capped, however many wait', async () => {
  const { write, asked, clock, gate } = gateOf();
  for (const name of ['a', 'b', 'c', 'd']) void write(name);
  await clock.advance(0);
  expect(asked).toEqual(['a 0', 'b 0', 'c 0', 'd 0']);
  for (const name of ['e', 'f']) void write(name);
  const hourMs = 3_600_000;
  await clock.advance(hourMs);
  const early = asked.length;
  await clock.advance(hourMs);
  // Delays are spread evenly below a minute by then: two a minute on average.
  expect(asked.length - early).toBeGreaterThan(60);
  expect(asked.length - early).toBeLessThan(180);
  expect(gate.state()).toMatchObject({ code: 'ExpiredToken', sinceMs: 2 * hourMs });
});

test('the first failures of requests that were under way together are one failed try', async () => {
  const { write, clock, gate } = gateOf();
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) void write(name);
  await clock.advance(0);
  expect(gate.state()?.probeInMs).toBeLessThanOrEqual(limits.baseDelayMs);
});

test('those who wait take turns in trying, longest first', async () => {
  const { write, asked, clock } = gateOf();
  void write('a');
  await clock.advance(0);
  for (const name of ['b', 'c']) void write(name);
  await clock.advance(120_000);
  expect(asked.map((line) => line[0]).slice(0, 7)).toEqual(['a', 'a', 'b', 'c', 'a', 'b', 'c']);
});

test('one success opens for all; each is told once', async () => {
  const { write, answers, clock, settled, events } = gateOf();
  for (const name of ['a', 'b', 'c', 'd']) void write(name);
  await clock.advance(30_000);
  answers.failure = undefined;
  await clock.advance(60_000);
  expect(settled.toSorted()).toEqual(['a', 'b', 'c', 'd']);
  expect(events.of('destination.blocked').filter(({ code }) => code === 'ExpiredToken').length).toBeLessThan(
    3,
  );
  expect(events.of('destination.open')).toHaveLength(1);
});

test('another cause is news and is told; the same one is not told again for each who waits', async () => {
  const { write, answers, clock, events } = gateOf();
  for (const name of ['a', 'b', 'c', 'd']) void write(name);
  await clock.advance(0);
  expect(events.of('destination.blocked').map(({ code }) => code)).toEqual(['ExpiredToken']);
  answers.failure = blocked('NoSuchBucket');
  await clock.advance(60_000);
  expect(
    events
      .of('destination.blocked')
      .map(({ code }) => code)
      .slice(0, 2),
  ).toEqual(['ExpiredToken', 'NoSuchBucket']);
});

test('what the destination asks for is waited out first', async () => {
  const { write, answers, asked, clock } = gateOf();
  answers.failure = blocked('SlowDown', 100_000);
  void write('a');
  await clock.advance(99_999);
  expect(asked).toEqual(['a 0']);
  await clock.advance(1_001);
  expect(asked).toHaveLength(2);
});

test('work that made no request does not open the gate', async () => {
  const { write, gate, clock, abort, asked } = gateOf();
  void write('a');
  await clock.advance(0);
  const nothing = gate.through(abort.signal, 1, async () => 'nothing to do');
  await clock.advance(20_000);
  expect(await nothing).toBe('nothing to do');
  expect(gate.state()).toMatchObject({ code: 'ExpiredToken' });
  const before = asked.length;
  await clock.advance(120_000);
  expect(asked.length).toBeGreaterThan(before);
});

test('a failure that is no block leaves the gate as it is and is thrown; the next in line tries', async () => {
  const { write, gate, clock, abort, asked } = gateOf();
  void write('a');
  await clock.advance(0);
  const bad = gate.through(abort.signal, 1, async () => {
    throw new Failure({ kind: 'transient', code: 'InternalError', attempted: 'writing "x"' });
  });
  const failed = expect(bad).rejects.toThrow('writing "x"');
  await clock.advance(20_000);
  await failed;
  expect(gate.state()).toMatchObject({ code: 'ExpiredToken' });
  const before = asked.length;
  await clock.advance(120_000);
  expect(asked.length).toBeGreaterThan(before);
});

test('reading opens the gate, but not for those to whom writing was denied', async () => {
  for (const [code, isOpen] of [
    ['ExpiredToken', true],
    ['AccessDenied', false],
  ] as const) {
    const { write, answers, gate, clock, abort, events } = gateOf();
    answers.failure = blocked(code);
    void write('a');
    await clock.advance(0);
    const read = gate.through(abort.signal, 1, async () => {
      gate.served.reads += 1;
      return 'read';
    });
    await clock.advance(5_000);
    expect(await read).toBe('read');
    expect(events.of('destination.open')).toHaveLength(isOpen ? 1 : 0);
  }
});

test('one key that is denied while others are written is denied for good, and holds nobody up', async () => {
  const { write, answers, clock, settled } = gateOf();
  answers.failure = undefined;
  answers.denied.add('bad');
  void write('bad');
  await clock.advance(0);
  for (const name of ['b', 'c', 'd']) void write(name);
  await clock.advance(60_000);
  expect(settled.toSorted()).toEqual(['b', 'bad permanent AccessDenied', 'c', 'd']);
});

test('when everything is denied, nothing is denied for good', async () => {
  const { write, answers, clock, settled } = gateOf();
  answers.failure = blocked('AccessDenied');
  for (const name of ['a', 'b', 'c']) void write(name);
  await clock.advance(3_600_000);
  expect(settled).toEqual([]);
  answers.failure = undefined;
  await clock.advance(120_000);
  expect(settled.toSorted()).toEqual(['a', 'b', 'c']);
});

test('an expired token is never permanent, whatever others could write meanwhile', async () => {
  const { gate, clock, abort, write, answers, settled } = gateOf();
  let tries = 0;
  const unlucky = gate.through(abort.signal, 1, async () => {
    tries += 1;
    if (tries < 20) throw blocked('ExpiredToken');
    gate.served.writes += 1;
    return 'at last';
  });
  answers.failure = undefined;
  for (let n = 0; n < 40; n++) {
    void write(`w${n}`);
    await clock.advance(10_000);
  }
  await clock.advance(3_600_000);
  expect(await unlucky).toBe('at last');
  expect(settled).toHaveLength(40);
});

test('who is aborted while waiting leaves, and the others go on', async () => {
  const { write, clock, answers, settled } = gateOf();
  void write('a');
  await clock.advance(0);
  const impatient = new AbortController();
  void write('b', impatient.signal);
  void write('c');
  impatient.abort();
  await clock.advance(0);
  expect(settled).toEqual(['b aborted']);
  answers.failure = undefined;
  await clock.advance(120_000);
  expect(settled).toEqual(['b aborted', 'a', 'c']);
});

test('when the one whose turn it is to try is aborted, the next one tries', async () => {
  const { write, clock, answers, settled, asked } = gateOf();
  const impatient = new AbortController();
  void write('a', impatient.signal);
  await clock.advance(0);
  void write('b');
  impatient.abort();
  answers.failure = undefined;
  await clock.advance(120_000);
  expect(settled).toEqual(['a aborted', 'b']);
  expect(asked.map((line) => line[0])).toEqual(['a', 'b']);
});
