import { expect, test } from 'vitest';
import { settleMs, World } from '../support/services.ts';

/** One output directory, used by run after run: what told the end of one says nothing of the next. */

const hour = 3_600_000;
const summary = JSON.stringify({
  global_step: 10,
  max_steps: 10,
  log_history: [
    { step: 10, loss: 1 },
    { step: 10, train_loss: 1, train_runtime: 5 },
  ],
});
const started = (world: World) => new Date(world.clock.nowMs()).toISOString();
const sealed = (world: World) =>
  world.events.of('session.sealed').map(({ status, by }) => `${status} by ${by}`);

/** What an earlier run left in `a`, an hour ago. */
async function usedBefore(files: Readonly<Record<string, string>>): Promise<World> {
  const world = new World();
  for (const [path, text] of Object.entries(files)) world.folder.write(`a/${path}`, text);
  await world.clock.advance(hour);
  return world;
}

function begin(world: World, { pid = 42 } = {}): void {
  world.processes.start(pid, world.clock.nowMs());
  world.folder.write('a/session.json', JSON.stringify({ id: 'a', startedAt: started(world) }));
  world.folder.write('a/session.pid', `${pid}\n`);
  world.folder.write('a/stdout.log', 'loading\n');
}

const left: readonly [string, Record<string, string>][] = [
  ["a framework's own end", { 'trainer_state.json': summary }],
  ['a marker', { _SUCCESS: '' }],
  ['a marker of failure', { _FAILED: '' }],
  ['a result', { 'result.json': '{"status":"completed","metrics":{"loss":0.5}}' }],
  ['a traceback', { 'stderr.log': 'Traceback (most recent call last):\nValueError: no\n' }],
];

test.each(left)('%s from before a run was begun does not end it', async (_, files) => {
  const world = await usedBefore(files);
  begin(world);
  const agent = world.start();
  await agent.look();
  await world.clock.advance(2 * 60_000);
  await agent.look();
  expect(sealed(world)).toEqual([]);
  world.processes.kill(42);
  await agent.deliver();
  expect(sealed(world)).toEqual(['interrupted by session.pid: process 42 is gone']);
  expect(world.log().session.status).toBe('interrupted');
  expect(world.log().results?.metrics?.['loss']).not.toBe(0.5);
});

test('a result older than the process that was seen is not about it, whatever else is missing', async () => {
  const world = await usedBefore({ 'result.json': '{"status":"completed"}' });
  world.processes.start(42, world.clock.nowMs());
  world.folder.write('a/session.pid', '42');
  const agent = world.start();
  await agent.look();
  expect(sealed(world)).toEqual([]);
});

test('a result older than a session.pid that names nobody counts: both may be copies', async () => {
  const world = await usedBefore({ 'result.json': '{"status":"completed"}' });
  world.folder.write('a/session.pid', '42');
  await world.start().look();
  expect(sealed(world)).toEqual(['completed by result.json']);
});

const again: readonly [string, (world: World) => void][] = [
  ['a process', (world) => begin(world, { pid: 43 })],
  [
    'the event file of a training',
    ({ folder, clock }) =>
      folder.write(`a/runs/x/events.out.tfevents.${Math.floor(clock.nowMs() / 1000)}.h.1.0`, 'x'),
  ],
  ['a checkpoint', ({ folder }) => folder.write('a/checkpoint-5/model.safetensors', 'half')],
];

test.each(again)('a session that had ended is open again when %s of a new run is there', async (_, use) => {
  const world = await usedBefore({ 'trainer_state.json': summary });
  const agent = world.start();
  await agent.deliver();
  expect(world.log().session.status).toBe('completed');
  await world.clock.advance(hour);
  use(world);
  await agent.look();
  await world.clock.advance(settleMs);
  await agent.deliver();
  expect(agent.tracker.sessions.get('a')?.state.at).toBe('open');
  expect(world.events.of('session.reopened')).toHaveLength(1);
  expect(world.log().session.status).toBe('running');
  expect(world.log().session).not.toHaveProperty('endedAt');
  await world.clock.advance(hour);
  world.folder.write('a/trainer_state.json', summary);
  await agent.deliver();
  expect(world.log().session).toMatchObject({ status: 'completed', sealedBy: 'trainer_state.json' });
});

test('what is cleaned away after the end is no new run', async () => {
  const world = await usedBefore({ 'trainer_state.json': summary, 'notes.txt': 'a' });
  const agent = world.start();
  await agent.deliver();
  await world.clock.advance(hour);
  world.folder.remove('a/trainer_state.json');
  world.folder.write('a/notes.txt', 'b');
  await agent.deliver();
  expect(world.log().session.status).toBe('completed');
});

test('a resumed training of which not all processes said how long has no duration, and no cost', async () => {
  const records = [10, 20, 30, 40, 50].map((step) => ({ step, loss: 2 }));
  const resumed = { step: 50, train_loss: 0.5, train_runtime: 100 };
  const world = await usedBefore({
    'session.json': '{"id":"a","pod":{"costPerHour":2}}',
    'trainer_state.json': JSON.stringify({
      global_step: 50,
      max_steps: 50,
      log_history: [...records, resumed],
    }),
    'train.log': "{'loss': 2.0, 'epoch': 0.9}\n{'train_runtime': 100.0, 'train_loss': 0.5, 'epoch': 1.0}\n",
  });
  await world.start().deliver();
  const { session, results, pod } = world.log();
  expect(session.status).toBe('completed');
  expect(results).not.toHaveProperty('durationSeconds');
  expect(pod).not.toHaveProperty('cost');
});
