import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { bash, readJson, runExec, startExec, startProgram } from '../support/exec.ts';
import { trainlogdProgram, trainlogdWords } from '../support/program.ts';
import { type Cleanup, makeHost, toDirectory } from '../support/trainlogd.ts';

/** Says who it is below, then each signal that it gets, until SIGUSR1 asks how many there were. */
const counting = (signals: string) => `
n=0
for signal in ${signals}; do trap "n=\\$((n+1)); echo got $signal" $signal; done
trap 'echo "total $n"; exit 0' USR1
echo "ready $PPID $$"
while :; do sleep 0.05; done`;

/** The same in a program that has its signals one by one; bash makes one of two that come together. */
const countingProgram = (signal: string) => `
let n = 0;
process.on('${signal}', () => console.log('got', ++n));
process.on('SIGUSR1', () => { console.log('total', n); process.exit(0); });
setInterval(() => undefined, 1000);
console.log('ready');`;

describe.concurrent('signals to trainlogd exec', { timeout: 120_000 }, () => {
  test.for(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const)(
    '%s to it alone is passed on, and to the whole group not sent twice',
    async (signal, context) => {
      const host = await makeHost(context, {});
      const running = startExec(context, host, [
        ...['--no-ship', '--id', 's', '--'],
        ...[process.execPath, '-e', countingProgram(signal)],
      ]);
      await running.said(/ready/);
      running.child.kill(signal);
      await running.said(/got/);
      running.signalGroup(signal);
      await eventually(() => running.stdout().split('got').length === 3);
      // Signals are told apart in the order in which they come: after this one no other is on its way.
      running.child.kill('SIGUSR1');
      await running.said(/total 2\n/);
      expect(await running.ended).toMatchObject({ code: 0, signal: null, stderr: '' });
      const status = signal === 'SIGUSR2' ? 'completed' : 'cancelled';
      expect(readJson(host.folder, 's', 'result.json')['status']).toBe(status);
    },
  );

  test('a command that a signal ends takes its wrapper with it by the same signal', async (context) => {
    const host = await makeHost(context, {});
    const running = startExec(context, host, [
      '--no-ship',
      '--id',
      's',
      ...bash('echo ready; exec sleep 600'),
    ]);
    await running.said(/ready/);
    running.signalGroup('SIGTERM');
    expect(await running.ended).toMatchObject({ code: null, signal: 'SIGTERM' });
    expect(readJson(host.folder, 's', 'result.json')).toMatchObject({
      status: 'cancelled',
      signal: 'SIGTERM',
    });
  });

  test('a signal before the command is there reaches it', async (context) => {
    const host = await makeHost(context, {});
    // mkfifo is what it waits for right before it starts the command.
    const script = 'kill -TERM $PPID; exec /usr/bin/mkfifo "$@"';
    const bin = join(host.base, 'bin');
    spawnSync('mkdir', [bin]);
    spawnSync('sh', ['-c', `printf '#!/bin/sh\\n%s\\n' '${script}' > ${bin}/mkfifo; chmod +x ${bin}/mkfifo`]);
    const PATH = `${bin}:${host.env['PATH'] ?? ''}`;
    const ended = await runExec(context, host, ['--no-ship', '--id', 's', '--', 'sleep', '600'], { PATH });
    expect(ended).toMatchObject({ signal: 'SIGTERM' });
    expect(readJson(host.folder, 's', 'result.json')['status']).toBe('cancelled');
  });

  test('under nohup a hangup is none', async (context) => {
    const host = await makeHost(context, {});
    const command = ['bash', '-c', 'echo ready; read -r x < go; echo went on'];
    spawnSync('mkfifo', [join(host.base, 'go')]);
    const args = [...trainlogdProgram, 'exec', '--no-ship', '--', ...command];
    // As a shell that sets it says what it started.
    const running = startProgram(context, host, ['nohup', ...args], { _: '/usr/bin/nohup' });
    await running.said(/ready/);
    running.signalGroup('SIGHUP');
    running.child.kill('SIGHUP');
    spawnSync('sh', ['-c', `echo > ${join(host.base, 'go')}`]);
    const ended = await running.ended;
    expect({ code: ended.code, stdout: ended.stdout.toString() }).toEqual({
      code: 0,
      stdout: 'ready\nwent on\n',
    });
  });
});

describe.concurrent('on a terminal', { timeout: 120_000 }, () => {
  test('Ctrl-C reaches the command once, which has the foreground and the keyboard', async (context) => {
    const script = `read -r line; echo "typed $line"; echo "group $(ps -o pgid=,tpgid= -p $$)"; ${counting('INT')}`;
    const { host, terminal } = await onTerminal(context, script);
    terminal.child.stdin?.write('hello\n');
    await terminal.said(/typed hello/);
    const [, group, foreground] = await terminal.said(/group +(\d+) +(\d+)/);
    expect(group).toBe(foreground);
    const [, wrapper] = await terminal.said(/ready (\d+)/);
    terminal.child.stdin?.write('\x03');
    await terminal.said(/got INT/);
    process.kill(Number(wrapper), 'SIGUSR1');
    await terminal.said(/total 1\r?\n/);
    await terminal.ended;
    expect(readJson(host.folder, 's', 'result.json')['status']).toBe('cancelled');
  });

  test('Ctrl-Z stops both, and both go on together', async (context) => {
    // A shell with job control, which has the terminal back while they are stopped.
    const { host, terminal } = await onTerminal(context, counting('INT'), (line) => {
      return `bash -c 'set -m; ${line}; read -r x < go; fg > /dev/null'`;
    });
    const [, wrapper, command] = await terminal.said(/ready (\d+) (\d+)/);
    const pids = [Number(wrapper), Number(command)];
    const states = () => pids.map(stateOf).join('');
    terminal.child.stdin?.write('\x1a');
    await eventually(() => states() === 'TT');
    spawnSync('sh', ['-c', `echo > ${join(host.base, 'go')}`]);
    await eventually(() => !states().includes('T'));
    process.kill(Number(wrapper), 'SIGUSR1');
    await terminal.said(/total 0\r?\n/);
    await terminal.ended;
  });

  test('its output comes with every byte', async (context) => {
    const { host, terminal } = await onTerminal(context, 'for i in $(seq 5000); do echo "line $i"; done');
    await terminal.ended;
    const expected = Array.from({ length: 5000 }, (_, at) => `line ${at + 1}\r\n`).join('');
    expect(terminal.stdout()).toContain(expected);
    expect(readFileSync(join(host.folder, 's', 'stdout.log'), 'utf8')).toBe(expected.replaceAll('\r', ''));
  });
});

/** A pseudo-terminal of script(1), whose foreground group the program is in; what is written to it is typed. */
async function onTerminal(
  context: Cleanup & { skip(note: string): void },
  command: string,
  below = (line: string) => `exec ${line}`,
) {
  if (spawnSync('script', ['--version']).error) context.skip('there is no script(1) here');
  const host = { ...(await makeHost(context, {})) };
  const env = { ...host.env, ...toDirectory(join(host.base, 'destination')), COMMAND: command };
  const line = below(`${trainlogdWords} exec --no-ship --id s -- bash -c "$COMMAND"`);
  spawnSync('mkfifo', [join(host.base, 'go')]);
  const terminal = startProgram(context, { ...host, env }, ['script', '-qec', line, '/dev/null'], {
    SHELL: '/bin/sh',
  });
  return { host, terminal };
}

function stateOf(pid: number): string {
  return /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '?';
}
