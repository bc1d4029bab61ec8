import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import type { Terminal } from '../../src/commands/edge.ts';
import type { Status } from '../../src/ports/status.ts';
import { type AgentRun, makePlace, type Place, runAgent, startAgent } from '../support/agent.ts';
import { eventually } from '../support/eventually.ts';
import { makeHealthy } from '../support/hostile.ts';

const enter = '\u001b[?1049h\u001b[?25l';
const leave = '\u001b[?25h\u001b[?1049l';

/** A terminal that a test holds in its hands. */
class HeldTerminal implements Terminal {
  columns = 80;
  rows = 24;
  readonly #changed: (() => void)[] = [];
  readonly #exited: (() => void)[] = [];
  size = () => ({ columns: this.columns, rows: this.rows });
  onChange = (listener: () => void) => listen(this.#changed, listener);
  onExit = (listener: () => void) => listen(this.#exited, listener);
  resize(columns: number, rows: number): void {
    Object.assign(this, { columns, rows });
    for (const listener of this.#changed) listener();
  }
  exit(): void {
    for (const listener of this.#exited) listener();
  }
}

function listen(listeners: (() => void)[], listener: () => void): () => void {
  listeners.push(listener);
  return () => void listeners.splice(listeners.indexOf(listener), 1);
}

/** What the last frame says, without its colours. */
function lastFrame({ stdout }: AgentRun): string {
  const frames = stdout().split('\u001b[?2026h\u001b[H');
  return stripVTControlCharacters(frames.at(-1) ?? '');
}

async function daemonOf(place: Place): Promise<AgentRun> {
  const daemon = startAgent(place, ['run']);
  await eventually(() => existsSync(join(place.state, 'status.sock')));
  return daemon;
}

async function endOf(run: AgentRun, signal = 'SIGTERM') {
  run.signal(signal);
  return run.ended;
}

test('a live view outlives the daemon, follows the window, and gives the terminal back', async () => {
  const place = await makePlace();
  const terminal = new HeldTerminal();
  const watch = startAgent(place, ['status', '--watch'], { terminal });
  await eventually(() => lastFrame(watch).includes('no trainlogd runs'));
  expect(watch.stdout().startsWith(enter)).toBe(true);
  const first = await daemonOf(place);
  await eventually(() => lastFrame(watch).includes('all is well: trainlogd'));
  await makeHealthy(place);
  await eventually(() => lastFrame(watch).includes('1 shipped'));
  await endOf(first);
  await eventually(() => lastFrame(watch).startsWith('no trainlogd runs'));
  const second = await daemonOf(place);
  await eventually(() => lastFrame(watch).includes('all is well: trainlogd'));
  terminal.resize(40, 5);
  expect(lastFrame(watch)).toMatch(/and \d+ more lines: trainlogd status sh.*…/);
  expect(lastFrame(watch).split('\r\n')).toHaveLength(5);
  const { exit, stdout, stderr } = await endOf(watch, 'SIGINT');
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  expect(stdout.endsWith(leave)).toBe(true);
  terminal.resize(80, 24);
  terminal.exit();
  expect(watch.stdout()).toBe(stdout);
  await endOf(second);
});

test('a process that ends by a mistake gives the terminal back all the same', async () => {
  const terminal = new HeldTerminal();
  const watch = startAgent(await makePlace(), ['status', '--watch'], { terminal });
  await eventually(() => lastFrame(watch).includes('no trainlogd runs'));
  terminal.exit();
  expect(watch.stdout().endsWith(leave)).toBe(true);
  await endOf(watch);
});

test('what is no terminal gets a line for each change, without escapes, and ends when nobody reads on', async () => {
  const place = await makePlace();
  const daemon = await daemonOf(place);
  const watch = startAgent(place, ['status', '--watch']);
  await eventually(() => watch.stdout().includes('0 shipped'));
  await makeHealthy(place);
  await eventually(() => watch.stdout().includes('1 shipped, 0 being shipped, 0 open'));
  watch.stdoutGone();
  const { exit, stdout } = await watch.ended;
  expect(exit).toBe(0);
  expect(stdout).not.toContain('\u001b');
  const lines = stdout.trimEnd().split('\n');
  expect(new Set(lines.map((line) => line.slice(21))).size).toBe(lines.length);
  for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ running; /);
  await endOf(daemon);
});

test('--json --watch writes one document a line, the status of --json', async () => {
  const place = await makePlace();
  const daemon = await daemonOf(place);
  const watch = startAgent(place, ['status', '--watch', '--json'], { terminal: new HeldTerminal() });
  await eventually(() => watch.stdout().includes('"running":true'));
  await makeHealthy(place);
  await eventually(() => watch.stdout().includes('"shipped":1'));
  const { stdout } = await endOf(watch);
  const documents = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Status);
  expect(documents[0]).toMatchObject({ version: 1, running: true, backlog: { shipped: 0 } });
  const once = JSON.parse((await runAgent(place, ['status', '--json'])).stdout) as Status;
  expect(documents.at(-1)?.backlog).toEqual(once.backlog);
  await endOf(daemon);
});

/** With `script`, which gives a program a terminal and writes what it gets. */
test('on a real terminal a signal ends the program, the terminal as it was', async () => {
  const place = await makePlace();
  const main = join(import.meta.dirname, '../../src/main.ts');
  const quoted = [process.execPath, main, 'status', '--watch'].map((word) => `'${word}'`).join(' ');
  const command = `stty rows 10 cols 40; ${quoted} & echo "pid $!."; wait $!; echo "code $?."`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...process.env, ...place.env, SHELL: '/bin/bash', TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const closed = new Promise((resolve) => child.on('close', resolve));
  await eventually(() => text.includes('Ctrl-C ends'));
  process.kill(Number(/pid (\d+)\./.exec(text)?.[1]), 'SIGTERM');
  await closed;
  expect(text).toContain(enter);
  expect(text.indexOf(leave)).toBeGreaterThan(text.lastIndexOf('Ctrl-C ends'));
  expect(text).toMatch(/code 0\.\r\n/);
});
