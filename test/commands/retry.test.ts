import { existsSync } from 'node:fs';
import { mkdir, rmdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type AgentRun, makePlace, objectKeys, type Place, runAgent, startAgent } from '../support/agent.ts';
import { eventually } from '../support/eventually.ts';
import { makeHealthy } from '../support/hostile.ts';

/** What lies where `train.log` of the healthy session is to go: nothing can be written there. */
async function inTheWay(place: Place): Promise<string> {
  const object = join(place.destination, 'training-logs/companions/2026/01/healthy/train.log');
  await mkdir(object, { recursive: true });
  await makeHealthy(place);
  return object;
}

async function ended(agent: AgentRun): Promise<void> {
  agent.signal('SIGTERM');
  await agent.ended;
}

test('retry through a running daemon sends what was parked once its cause is gone, and says what it took up', async () => {
  const place = await makePlace();
  const object = await inTheWay(place);
  const daemon = startAgent(place, ['run']);
  const parked = await daemon.until('file.parked');
  expect(parked).toMatchObject({ session: 'healthy', path: 'train.log' });
  await daemon.until('session.shipped');
  const status = await runAgent(place, ['status']);
  expect(status.stdout).toContain(String(parked['remedy']).slice(0, 20));
  await rmdir(object);
  const retried = await runAgent(place, ['retry', 'healthy', 'nobody', '--json']);
  expect(JSON.parse(retried.stdout)).toEqual({
    version: 1,
    retried: [{ session: 'healthy', files: 1, log: false, isGone: false }],
    notParked: [],
    unknown: ['nobody'],
  });
  expect(retried.exit).toBe(64);
  expect(retried.stderr).toMatch(/no session "nobody" is known here/);
  await eventually(() => objectKeys(place).some((key) => key.endsWith('healthy/train.log')));
  await daemon.until('session.shipped', ({ missing }) => missing === 0);
  expect((await runAgent(place, ['retry', '--all'])).stdout).toBe('nothing is parked\n');
  expect(await runAgent(place, ['retry', 'healthy'])).toEqual({
    exit: 0,
    stdout: 'healthy: nothing of it is parked\n',
    stderr: '',
  });
  await ended(daemon);
});

test('retry without a daemon marks it in the journal; the next start tries it', async () => {
  const place = await makePlace();
  const nothing = await runAgent(place, ['retry', '--all']);
  expect(nothing).toEqual({ exit: 0, stdout: 'nothing is parked\n', stderr: '' });
  expect(existsSync(place.state)).toBe(false);
  const object = await inTheWay(place);
  expect((await runAgent(place, ['drain'])).exit).toBe(75);
  await rmdir(object);
  const { exit, stdout } = await runAgent(place, ['retry', '--all']);
  expect({ exit, stdout }).toEqual({
    exit: 0,
    stdout: 'healthy: 1 file, tried again at the next start: no trainlogd runs\n',
  });
  const { backlog } = JSON.parse((await runAgent(place, ['status', '--json'])).stdout);
  expect(backlog.parked).toMatchObject([{ session: 'healthy', path: 'train.log' }]);
  expect((await runAgent(place, ['drain'])).exit).toBe(0);
  expect(objectKeys(place).some((key) => key.endsWith('healthy/train.log'))).toBe(true);
});

test.each([[['retry']], [['retry', 'a', '--all']]])('%j is a wrong use: exit 64', async (args) => {
  const { exit, stdout, stderr } = await runAgent(await makePlace(), args);
  expect({ exit, stdout }).toEqual({ exit: 64, stdout: '' });
  expect(stderr).toMatch(/name the sessions to retry, or --all/);
});

test.each([
  ['nothing, and an end', '', { version: 1, running: true }],
  ['what nobody knows', '{"ask":"shutdown"}\n', { error: expect.stringMatching(/none that/) }],
  ['no JSON', 'status please\n', { error: expect.stringMatching(/none that/) }],
  [
    'a retry of what is no list',
    '{"ask":"retry","sessions":7}\n',
    { error: expect.stringMatching(/none that/) },
  ],
])('the socket that is told %s answers in a line and goes on', async (_, told, answer) => {
  const place = await makePlace();
  const daemon = startAgent(place, ['run']);
  await daemon.until('daemon.started');
  const text = await eventually(() => sayTo(join(place.state, 'status.sock'), told));
  expect(JSON.parse(text)).toMatchObject(answer);
  expect((await runAgent(place, ['status'])).exit).toBe(0);
  await ended(daemon);
});

test('who goes on talking after the request costs the daemon no memory', async () => {
  const place = await makePlace();
  const daemon = startAgent(place, ['run']);
  await daemon.until('daemon.started');
  const socket = join(place.state, 'status.sock');
  await eventually(() => existsSync(socket));
  const flood = 'x'.repeat(1024 * 1024);
  const before = process.memoryUsage.rss();
  const started = performance.now();
  expect(await sayTo(socket, `{"ask":"report"}\n${flood.repeat(64)}`)).toContain('"version":1');
  expect(performance.now() - started, 'each piece is looked at once').toBeLessThan(4_000);
  expect(process.memoryUsage.rss() - before).toBeLessThan(300 * 1024 * 1024);
  await ended(daemon);
});

function sayTo(socket: string, text: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer = '';
    const connection = connect(socket);
    connection.on('error', () => resolve(undefined));
    connection.on('connect', () => connection.end(text));
    connection.on('data', (chunk) => {
      answer += chunk;
    });
    connection.on('close', () => resolve(answer === '' ? undefined : answer));
  });
}
