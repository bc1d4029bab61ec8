import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sendNotification } from '../../src/adapters/notify-socket.ts';
import { createSystemdNotify } from '../../src/adapters/systemd-notify.ts';
import { eventually } from '../support/eventually.ts';
import { listenForNotifications } from '../support/notify-listener.ts';

test.each([
  ['a path', () => undefined],
  ['an abstract name', () => `@trainlogd-test/${randomUUID()}`],
])('systemd is told by this process itself, at %s', async (_, nameOf) => {
  const { address, said } = await listenForNotifications(nameOf());
  const problems: string[] = [];
  const onProblem = (problem: string) => problems.push(problem);
  const notify = createSystemdNotify({ env: { NOTIFY_SOCKET: address }, pid: 42, onProblem });
  notify?.tell({ ready: true });
  notify?.tell({ alive: true, status: '3 files of “ünïcode”, 5 MiB to send' });
  await notify?.flushed();
  expect(said()).toEqual(['READY=1', 'WATCHDOG=1\nSTATUS=3 files of “ünïcode”, 5 MiB to send']);
  expect(problems).toEqual([]);
});

test('where nobody reads yet it waits, and keeps the order', async () => {
  const { address, said } = await listenForNotifications();
  // The kernel queues some hundreds at most for a socket of which nobody reads.
  let sent = 0;
  let waiting: Promise<string | undefined> | undefined;
  for (; sent < 10_000 && !waiting; sent++) {
    const sending = sendNotification(address, `STATUS=${sent}`);
    const isDone = await Promise.race([sending.then(() => true), new Promise((go) => setTimeout(go, 50))]);
    if (isDone !== true) waiting = sending;
  }
  expect(waiting).toBeDefined();
  said();
  expect(await waiting).toBeUndefined();
  await eventually(() => said().at(-1) === `STATUS=${sent - 1}`);
  expect(said()).toHaveLength(sent);
});

test('a month of messages takes no memory', async () => {
  const tellMany = async (count: number) => {
    for (let at = 0; at < count; at++) await sendNotification('/nonexistent/notify', 'WATCHDOG=1');
    return process.memoryUsage.rss();
  };
  const before = await tellMany(1000);
  expect((await tellMany(4000)) - before).toBeLessThan(20 * 1024 * 1024);
});

test('what keeps it from being told is named once, with what to do, and leaves no descriptor', async () => {
  const before = readdirSync('/proc/self/fd').length;
  const problems: string[] = [];
  const onProblem = (problem: string) => problems.push(problem);
  const env = { NOTIFY_SOCKET: '/nonexistent/notify' };
  const notify = createSystemdNotify({ env, pid: 42, onProblem });
  for (let at = 0; at < 5; at++) {
    notify?.tell({ alive: true });
    await notify?.flushed();
  }
  expect(problems).toEqual([
    'telling systemd "WATCHDOG=1" at "/nonexistent/notify" failed: nobody listens there, or the service may not ask; the unit needs NotifyAccess=main and RestrictAddressFamilies=AF_UNIX beside others',
  ]);
  expect(readdirSync('/proc/self/fd').length).toBe(before);
});

test('where Node may not call foreign functions, that is the problem, and no failure of the program', () => {
  const module = join(import.meta.dirname, '../../src/adapters/notify-socket.ts');
  const code = `import { sendNotification } from ${JSON.stringify(module)};
    console.log(await sendNotification('/run/notify', 'READY=1'));`;
  const args = ['--permission', '--allow-fs-read=*', '--input-type=module', '--eval', code];
  const said = execFileSync(process.execPath, args, { encoding: 'utf8', env: {} });
  expect(said).toBe('functions of the C library cannot be called here (ERR_ACCESS_DENIED)\n');
});

test.each(['vsock:2:1', 'relative/notify', `/${'n'.repeat(107)}`])(
  'an address that is none of a socket here is said to be none: %s',
  async (address) => {
    expect(await sendNotification(address, 'READY=1')).toContain('it is not an address');
  },
);
