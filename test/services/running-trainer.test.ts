import { expect, test } from 'vitest';
import { eventFile, scalar, text } from '../support/event-file.ts';
import { idleMs, type TestAgent, World } from '../support/services.ts';

/** A Trainer that is busy with other things than its log is not silent. */

const hourMs = 3_600_000;
const snapshotEveryMs = 5 * 60_000;
const start = 1_767_323_045;
const events = `out/runs/Jan02_03-04-05_node1/events.out.tfevents.${start}.node1.7.0`;
const argumentsOf = text(
  'args/text_summary',
  '{"output_dir": "out", "num_train_epochs": 3, "max_steps": 9000}',
);

function valuesAt(steps: readonly number[]) {
  return steps.map((step) => ({ at: start + step, step, values: [scalar('train/loss', 1 / step)] }));
}

function eventBytes(steps: readonly number[]): Buffer {
  return eventFile([{ at: start, values: [argumentsOf] }, ...valuesAt(steps)]);
}

/** As with many rewards: 40 values at each logging. */
function stateAt(step: number): string {
  const values = Array.from({ length: 40 }, (_, at) => [`rewards/${at}`, 0.12345]);
  const loggedAt = Array.from({ length: step / 10 }, (_, at) => ({
    step: (at + 1) * 10,
    loss: 2,
    ...Object.fromEntries(values),
  }));
  return JSON.stringify({ epoch: 0.5, global_step: step, max_steps: 9000, log_history: loggedAt });
}

async function running(): Promise<{ world: World; agent: TestAgent }> {
  const world = new World();
  world.folder.write(events, eventBytes([10, 20]));
  const agent = world.start({ snapshotEveryMs });
  await agent.look();
  return { world, agent };
}

async function later(world: World, agent: TestAgent, ms: number): Promise<void> {
  await world.clock.advance(ms);
  await agent.look();
  await agent.ship();
}

const stateOf = (agent: TestAgent) => agent.tracker.sessions.get('out')?.state.at;
const sealed = (world: World) => world.events.of('session.sealed').map(({ status }) => status);

test('an evaluation without a word, however long, while its process holds the event file open', async () => {
  const { world, agent } = await running();
  const stat = world.folder.statAt(events);
  const held = `${stat?.dev}:${stat?.ino}`;
  world.processes.openFiles.add(held);
  for (let round = 0; round < 12; round++) await later(world, agent, idleMs / 2);
  expect([stateOf(agent), sealed(world)]).toEqual(['open', []]);
  world.processes.openFiles.delete(held);
  await later(world, agent, idleMs / 2);
  expect(sealed(world)).toEqual(['stalled']);
});

test('a checkpoint that grows, though nothing of it is ever read or sent', async () => {
  const { world, agent } = await running();
  const weights = 'out/checkpoint-20/optimizer.pt';
  world.folder.write(weights, 'x');
  for (let hour = 0; hour < 12; hour++) {
    world.folder.append(weights, 'x');
    await later(world, agent, hourMs);
  }
  expect([stateOf(agent), sealed(world)]).toEqual(['open', []]);
  expect(world.log().excluded).toEqual({ files: 1, bytes: 13 });
  await later(world, agent, idleMs);
  expect(sealed(world)).toEqual(['stalled']);
  expect(world.store.keys().join()).not.toContain('optimizer');
});

test('tokenising: files that a cache is made of', async () => {
  const { world, agent } = await running();
  for (let hour = 0; hour < 12; hour++) {
    world.folder.write(`out/data/cache-${hour}.arrow`, 'x');
    await later(world, agent, hourMs);
  }
  expect([stateOf(agent), sealed(world)]).toEqual(['open', []]);
});

test('a run that fell silent and goes on is open again, and its end counts', async () => {
  const { world, agent } = await running();
  await later(world, agent, idleMs);
  await later(world, agent, idleMs);
  expect(world.log().session.status).toBe('stalled');
  const end = { at: start + 9000, step: 9000, values: [scalar('train/train_runtime', 9000)] };
  world.folder.write(events, eventFile([{ at: start, values: [argumentsOf] }, ...valuesAt([10, 20]), end]));
  await agent.deliver();
  await later(world, agent, idleMs);
  expect(world.log().session).toMatchObject({ status: 'completed', sealedBy: events.slice('out/'.length) });
  expect(world.log().warnings).toEqual([]);
});

test('a snapshot says what the files say by now, its history thinned to 64 KiB; the last log has more of it', async () => {
  const { world, agent } = await running();
  world.folder.write('out/checkpoint-8000/trainer_state.json', stateAt(8000));
  await later(world, agent, snapshotEveryMs);
  const snapshot = world.log();
  expect(snapshot.session).toMatchObject({ status: 'running', framework: 'trl' });
  expect(snapshot.config).toMatchObject({ epochs: 3, maxSteps: 9000 });
  expect(snapshot.results).toMatchObject({ stepsCompleted: 8000 });
  expect(snapshot.provenance).toMatchObject({
    'results.stepsCompleted': 'checkpoint-8000/trainer_state.json',
    history: 'checkpoint-8000/trainer_state.json',
  });
  const bytesOf = (history: object | undefined) => Buffer.byteLength(JSON.stringify(history));
  expect(bytesOf(snapshot.history)).toBeLessThanOrEqual(64 * 1024);
  expect(bytesOf(snapshot.history)).toBeGreaterThan(48 * 1024);
  expect(snapshot.history?.thinnedFrom).toBe(800);
  expect(snapshot.history?.rows.at(-1)?.[0]).toBe(8000);
  await later(world, agent, idleMs);
  await later(world, agent, idleMs);
  expect(world.log().session.status).toBe('stalled');
  expect(world.log().history?.rows).toHaveLength(800);
  expect(bytesOf(world.log().history)).toBeGreaterThan(64 * 1024);
});
