import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import type { Journal } from '../../src/ports/journal.ts';
import { MemoryLeases } from '../fakes/memory-leases.ts';
import { dieAt, Killed } from '../support/killed.ts';
import { idleMs, type StartOptions, settleMs, type TestAgent, World } from '../support/services.ts';

/** A log that says of a session that goes on that it has ended is the one thing that is wrong in the bucket (ADR 44). */

const correctedAfterMs = 2_000;
const minuteMs = 60_000;
const log = 'training-logs/2026/01/a.log';
const out = 'training-logs/companions/2026/01/a/out.log';
const completed = '{"status":"completed"}';

/** Of every log that was ever there, in order. */
const statuses = (world: World) =>
  world.store.versions(log).map(({ bytes }) => JSON.parse(bytes.toString()).session.status as string);

async function later(world: World, agent: TestAgent, ms: number): Promise<void> {
  await world.clock.advance(ms);
  await agent.look();
  await agent.ship();
}

/** It ends by silence, and that is in the bucket. */
async function stalled(options: StartOptions = {}): Promise<{ world: World; agent: TestAgent }> {
  const world = new World();
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', 'one');
  const agent = world.start(options);
  await agent.look();
  await world.clock.advance(idleMs);
  await agent.deliver();
  expect(statuses(world).at(-1)).toBe('stalled');
  return { world, agent };
}

function write(world: World): void {
  if (world.folder.statAt('a/out.log')) world.folder.append('a/out.log', ' more');
  else world.folder.write('a/out.log', 'one');
}

function begin(world: World, pid: number): void {
  world.processes.start(pid, world.clock.nowMs());
  const startedAt = new Date(world.clock.nowMs()).toISOString();
  world.folder.write('a/session.json', JSON.stringify({ id: 'a', startedAt }));
  world.folder.write('a/session.pid', `${pid}\n`);
  write(world);
}

const goOn = write;
const runAgain = (world: World) => begin(world, 43);

/** It fell silent again, and goes on while the pass that would say so is stopped before its first request. */
async function withdrawnUnderWay() {
  const { world, agent } = await stalled();
  goOn(world);
  await agent.look();
  await later(world, agent, correctedAfterMs);
  await world.clock.advance(idleMs);
  await agent.lookTwice();
  const { length } = statuses(world);
  const goesOn = world.store.pause();
  const shipping = agent.ship();
  await new Promise((resolve) => setImmediate(resolve));
  goOn(world);
  await agent.look();
  const finish = async () => {
    goesOn();
    await shipping;
  };
  return { world, agent, length, finish };
}

interface Ending {
  readonly how: string;
  readonly status: string;
  /** Until it has ended. */
  readonly end: (world: World, agent: TestAgent) => Promise<void> | void;
  readonly next: (world: World) => void;
}

const endings: readonly Ending[] = [
  {
    how: 'it fell silent',
    status: 'stalled',
    end: (world) => world.clock.advance(idleMs),
    next: goOn,
  },
  {
    how: 'its host was going, and stays after all',
    status: 'interrupted',
    end: async (world, agent) => {
      await agent.depart('the pod is going', 300_000);
      await agent.look();
      await world.clock.advance(30_000);
    },
    next: goOn,
  },
  {
    how: 'its process was gone, and another one writes',
    status: 'interrupted',
    end: (world) => world.processes.kill(42),
    next: runAgain,
  },
  {
    how: 'a marker said so, before the run that is under way',
    status: 'completed',
    end: (world) => world.folder.write('a/_SUCCESS', ''),
    next: runAgain,
  },
  {
    how: 'a result said so, before the run that is under way',
    status: 'completed',
    end: (world) => world.folder.write('a/result.json', completed),
    next: runAgain,
  },
];

test.each(endings)(
  '$how: the log says running again seconds later, by one write to the same key',
  async ({ status, end, next }) => {
    const world = new World();
    if (next === runAgain) begin(world, 42);
    else world.folder.write('a/session.json', '{"id":"a"}');
    write(world);
    const agent = world.start();
    await agent.look();
    await world.clock.advance(minuteMs);
    await end(world, agent);
    await agent.deliver();
    const key = world.logKeys()[0] ?? '';
    expect(world.log(key).session.status).toBe(status);
    const sent = world.store.versions(key).length;

    // Into the next month: the key is what the session's start says.
    world.clock.setWall(Date.UTC(2026, 1, 1));
    next(world);
    await agent.look();
    await later(world, agent, correctedAfterMs);
    expect(world.logKeys()).toEqual([key]);
    expect(world.store.versions(key)).toHaveLength(sent + 1);
    const { session, companions, missing } = world.log(key);
    expect(session.status).toBe('running');
    expect(session).not.toHaveProperty('endedAt');
    expect(session).not.toHaveProperty('sealedBy');
    expect(companions.map(({ path }) => path)).toContain('out.log');
    expect(missing).toContainEqual(expect.objectContaining({ path: 'out.log', reason: 'pending' }));
    await later(world, agent, 5 * correctedAfterMs);
    expect(world.store.versions(key)).toHaveLength(sent + 1);
  },
);

test('another host had told the end: whoever goes on with the session says so at once', async () => {
  const world = new World();
  const leases = new MemoryLeases(async () => true);
  world.folder.write('a/session.json', '{"id":"a"}');
  world.folder.write('a/out.log', 'one');
  const first = world.start({ host: 'node-1', leases });
  await first.look();
  await world.clock.advance(idleMs);
  await first.deliver();
  expect(statuses(world).at(-1)).toBe('stalled');
  const second = world.start({ host: 'node-2', leases });
  await second.look();
  goOn(world);
  await second.look();
  await later(world, second, correctedAfterMs);
  expect(world.log().session).toMatchObject({ status: 'running', agent: { host: 'node-2' } });
});

test('last words and the result that follows them need no running in between', async () => {
  const { world, agent } = await stalled();
  goOn(world);
  await agent.look();
  await world.clock.advance(correctedAfterMs - 1);
  world.folder.write('a/result.json', completed);
  await agent.deliver();
  expect(statuses(world)).not.toContain('running');
  expect(world.summary()).toEqual(['a completed 4 [out.log] []']);
});

test('one that flaps costs a log after a minute, two, four, and what is due by the schedule', async () => {
  const world = new World();
  begin(world, 42);
  const agent = world.start();
  await agent.look();
  let pid = 42;
  const corrections: number[] = [];
  for (let second = 0; second < 17 * 60; second += 20) {
    // A short run after the other, each with its result.
    if (second % 40 === 0) world.folder.write('a/result.json', completed);
    else begin(world, ++pid);
    await agent.look();
    const before = statuses(world).filter((status) => status === 'running').length;
    await later(world, agent, correctedAfterMs);
    if (statuses(world).filter((status) => status === 'running').length > before) corrections.push(second);
    await later(world, agent, 20_000 - correctedAfterMs);
  }
  expect(statuses(world).filter((status) => status === 'completed').length).toBeGreaterThanOrEqual(25);
  expect(corrections).toEqual([20, 100, 220, 460, 940]);
});

test('what is due by the schedule is not put off, and corrects as well', async () => {
  const { world, agent } = await stalled({ snapshotEveryMs: 5 * minuteMs });
  goOn(world);
  await agent.look();
  await later(world, agent, 10 * 3_600_000 + idleMs);
  const { length } = statuses(world);
  await later(world, agent, minuteMs);
  expect(statuses(world)).toHaveLength(length);
  expect(world.log().missing).toEqual([]);
});

test('what was deleted here after its session had ended stays listed', async () => {
  const world = new World();
  begin(world, 42);
  world.folder.write('a/old.log', 'old');
  world.folder.write('a/result.json', completed);
  const agent = world.start();
  await agent.deliver();
  const sid = agent.journal.idHolder('a') ?? 0;
  world.folder.remove('a/old.log');
  agent.journal.recordDeleted(sid, 'old.log');
  await world.clock.advance(minuteMs);
  runAgain(world);
  await agent.look();
  await later(world, agent, correctedAfterMs);
  expect(world.log().session.status).toBe('running');
  expect(world.log().companions.map(({ path }) => path)).toEqual(['old.log', 'out.log', 'session.pid']);
  expect(agent.journal.deletable('/watched', Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
});

describe('an end that is still queued when the session goes on', () => {
  const broken = () => new Failure({ kind: 'transient', code: 'ECONNRESET', attempted: 'broken' });

  test('is never told', async () => {
    const { world, agent } = await stalled({ snapshotEveryMs: 5 * minuteMs });
    goOn(world);
    await agent.look();
    await later(world, agent, 5 * minuteMs);
    expect(statuses(world).at(-1)).toBe('running');
    const { length } = statuses(world);
    for (let n = 0; n < 10; n++) world.store.failNext('put', broken());
    await world.clock.advance(idleMs);
    await agent.deliver();
    expect(world.events.of('session.sealed')).toHaveLength(2);
    goOn(world);
    await agent.look();
    for (let minutes = 0; minutes < 30; minutes++) await later(world, agent, minuteMs);
    expect(new Set(statuses(world).slice(length))).toEqual(new Set(['running']));
    expect(world.log().missing).toEqual([]);
  });

  test('is not told any more by a pass that is under way', async () => {
    const { world, agent, length, finish } = await withdrawnUnderWay();
    await finish();
    await later(world, agent, minuteMs);
    // What named the changed file as pending may have been on its way.
    expect(statuses(world).slice(length + 1)).toEqual(['running']);
  });

  test('is not parked when it is refused by then', async () => {
    const { world, agent, finish } = await withdrawnUnderWay();
    world.store.failNext(
      'put',
      new Failure({ kind: 'permanent', code: 'AccessDenied', attempted: 'denied' }),
    );
    await finish();
    expect(world.store.calls.at(-1)).toBe(`put ${log}`);
    expect(world.events.of('file.parked')).toEqual([]);
    await later(world, agent, minuteMs);
    expect(statuses(world).at(-1)).toBe('running');
  });

  test('is not told at all where it was to be the first log, and no file goes before one has won the id', async () => {
    const world = new World();
    world.folder.write('a/session.json', '{"id":"a"}');
    write(world);
    const agent = world.start();
    await agent.look();
    await world.clock.advance(idleMs);
    await agent.lookTwice();
    goOn(world);
    await agent.look();
    await agent.shipping.pass(agent.journal.idHolder('a') ?? 0, new AbortController().signal);
    expect(world.store.keys()).toEqual([]);
    await later(world, agent, correctedAfterMs);
    expect(new Set(statuses(world))).toEqual(new Set(['running']));
  });

  test('is overtaken when it was on its way already, and before its files are sent', async () => {
    const { world, agent } = await stalled();
    world.folder.write('a/big.log', 'big');
    goOn(world);
    await agent.look();
    await later(world, agent, correctedAfterMs);
    await world.clock.advance(idleMs);
    await agent.lookTwice();
    // The log that names its files arrives, the files do not.
    const puts = world.store.calls.filter((call) => call.startsWith('put')).length;
    for (let nth = 2; nth < 4; nth++) world.store.failCall('put', puts + nth, broken());
    await agent.ship();
    expect(statuses(world).at(-1)).toBe('stalled');
    expect(world.log().missing).toHaveLength(2);
    goOn(world);
    await agent.look();
    await world.clock.advance(correctedAfterMs);
    await agent.look();
    const { length } = world.store.calls;
    await agent.ship();
    await later(world, agent, minuteMs);
    const sent = world.store.calls.slice(length).filter((call) => call.startsWith('put'));
    expect(sent.slice(0, 2)).toEqual([`put ${log}`, `put ${out.replace('out', 'big')}`]);
    expect(statuses(world).at(-1)).toBe('running');
  });
});

const journalDies = (name: keyof Journal, moment: 'before' | 'after', nth?: number): StartOptions => ({
  journal: dieAt<Journal>(name, moment, nth),
});

test.each<[string, StartOptions]>([
  ['before the reopening was recorded', journalDies('setPhase', 'before')],
  ['after the reopening was recorded', journalDies('setPhase', 'after')],
  ['before the correction was queued', journalDies('enqueue', 'before')],
  ['after the correction was queued', journalDies('enqueue', 'after')],
  ['after the correction was put, before it was recorded', journalDies('recordLog', 'before')],
  ['after the correction was recorded', journalDies('recordLog', 'after')],
  ['before the debt was taken back', journalDies('finish', 'before')],
  ['after the debt was taken back', journalDies('finish', 'after')],
])('killed %s: the next start leaves a log that says running, written once', async (_, dies) => {
  const { world } = await stalled();
  const { length } = statuses(world);
  const agent = world.start(dies);
  goOn(world);
  const live = async () => {
    await agent.look();
    await later(world, agent, correctedAfterMs);
  };
  await expect(live()).rejects.toThrow(Killed);
  const next = world.start();
  await next.look();
  await later(world, next, correctedAfterMs);
  expect(statuses(world).slice(length)).toEqual(['running']);
  await later(world, next, settleMs);
  expect(next.journal.session(1)).toMatchObject({ phase: 'open', endTold: false });
  expect(next.tracker.sessions.get('a')?.state.at).toBe('open');
});
