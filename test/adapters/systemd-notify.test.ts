import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSystemdNotify } from '../../src/adapters/systemd-notify.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Stands in for the program of systemd: writes down its words and the socket, slowly enough for others to wait. */
async function notified(script = 'echo "$NOTIFY_SOCKET $*" >> "$0.said"', more: Record<string, string> = {}) {
  const directory = await temporaryDirectory();
  const program = join(directory, 'systemd-notify');
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  const problems: string[] = [];
  const env = { PATH: process.env['PATH'], NOTIFY_SOCKET: '/run/notify', SECRET: 'x', ...more };
  const notify = createSystemdNotify({
    env,
    pid: 42,
    program,
    onProblem: (problem) => problems.push(problem),
  });
  if (!notify) throw new Error('nobody listens');
  const said = () => (existsSync(`${program}.said`) ? readFileSync(`${program}.said`, 'utf8') : '');
  return { notify, problems, said };
}

test('without a socket there is nobody to tell', () => {
  expect(createSystemdNotify({ env: {}, pid: 42, onProblem: () => undefined })).toBeUndefined();
});

test('messages arrive in their order, and what is told meanwhile as one', async () => {
  const { notify, said, problems } = await notified();
  notify.tell({ ready: true });
  notify.tell({ alive: true });
  notify.tell({ status: '3 files, 5 MiB to send' });
  await notify.flushed();
  notify.tell({ reloading: true });
  await notify.flushed();
  notify.tell({ stopping: true, extendTimeoutMs: 40_000 });
  await notify.flushed();
  expect(said().trimEnd().split('\n')).toEqual([
    '/run/notify READY=1',
    '/run/notify WATCHDOG=1 STATUS=3 files, 5 MiB to send',
    '/run/notify RELOADING=1',
    '/run/notify STOPPING=1 EXTEND_TIMEOUT_USEC=40000000',
  ]);
  expect(problems).toEqual([]);
});

test('what could not be told is told with the next message', async () => {
  const { notify, said } = await notified(
    '[ -e "$0.on" ] && echo "$*" >> "$0.said"; r=$?; touch "$0.on"; exit $r',
  );
  notify.tell({ ready: true });
  await notify.flushed();
  notify.tell({ status: '1 file, 5 MiB to send' });
  await notify.flushed();
  expect(said()).toBe('READY=1 STATUS=1 file, 5 MiB to send\n');
});

test('a program that fails, or is not there, is a problem once, with what to do', async () => {
  const { notify, problems } = await notified('exit 3');
  notify.tell({ ready: true });
  await notify.flushed();
  notify.tell({ alive: true });
  await notify.flushed();
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/"READY=1".*exit code 3; install the package systemd/);

  const absent: string[] = [];
  const env = { NOTIFY_SOCKET: '/run/notify', PATH: '/nonexistent' };
  const onProblem = (problem: string) => absent.push(problem);
  const other = createSystemdNotify({ env, pid: 42, program: 'systemd-notify', onProblem });
  other?.tell({ ready: true });
  await other?.flushed();
  expect(absent[0]).toContain('ENOENT');
});

test.each<[Record<string, string>, number | undefined]>([
  [{ WATCHDOG_USEC: '180000000', WATCHDOG_PID: '42' }, 180_000],
  [{ WATCHDOG_USEC: '180000000' }, 180_000],
  [{ WATCHDOG_USEC: '180000000', WATCHDOG_PID: '7' }, undefined],
  [{ WATCHDOG_USEC: '0' }, undefined],
  [{ WATCHDOG_USEC: 'soon' }, undefined],
  [{}, undefined],
])('the watchdog of %j waits for %s ms', async (variables, expected) => {
  const { notify } = await notified('true', variables);
  expect(notify.watchdogMs).toBe(expected);
});
