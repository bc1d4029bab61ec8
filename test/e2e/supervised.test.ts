import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { listenForNotifications } from '../support/notify-listener.ts';
import { makeHost, start, toDirectory } from '../support/trainlogd.ts';

/** systemd itself is seen in test/system; here its socket only keeps what it is told. */
test('a service is ready, tells what is left, lives, reloads and stops in that order', async (context) => {
  const host = await makeHost(context, {});
  const { address, said } = await listenForNotifications();
  const lines = () => said().map((message) => message.replaceAll('\n', ' '));
  const daemon = start(context, host, ['run'], {
    ...toDirectory(join(host.base, 'bucket')),
    NOTIFY_SOCKET: address,
    WATCHDOG_USEC: '600000',
  });
  await eventually(() => lines().filter((line) => line.startsWith('WATCHDOG=1')).length >= 3);
  expect(lines()[0]).toBe('READY=1');
  expect(lines().join('\n')).toContain('STATUS=nothing to send; 0 open, 0 being shipped');
  daemon.signal('SIGHUP');
  // Nothing differs, so the same life goes on, and says so.
  await eventually(() => lines().lastIndexOf('READY=1') > 0);
  const ended = await daemon.stop();
  expect(ended.code).toBe(0);
  expect(lines().filter((line) => line.includes('STOPPING=1'))).toEqual([
    expect.stringContaining('EXTEND_TIMEOUT_USEC=40000000'),
  ]);
  expect(lines().at(-1)).toContain('STOPPING=1');
});

test('a service that is started while its state disk is read-only waits, since 78 would end it for good', async (context) => {
  const host = await makeHost(context, {});
  mkdirSync(host.state, { recursive: true });
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', host.state]).status !== 0)
    context.skip('this user or container may not mount a small file system');
  context.onTestFinished(() => void execFileSync('umount', ['-l', host.state]));
  const toBucket = toDirectory(join(host.base, 'bucket'));
  expect((await start(context, host, ['drain'], toBucket).ended).code).toBe(0);
  const remount = (how: 'ro' | 'rw') => execFileSync('mount', ['-o', `remount,${how}`, host.state]);
  remount('ro');
  const { address, said } = await listenForNotifications();
  const daemon = start(context, host, ['run'], { ...toBucket, NOTIFY_SOCKET: address });
  await daemon.event('journal.trouble');
  const told: string[] = [];
  await eventually(
    () => told.push(...said()) > 0 && told.join('\n').includes('STATUS=waiting for a directory'),
  );
  expect(told[0]).toBe('READY=1');
  remount('rw');
  await daemon.event('daemon.started');
  expect((await daemon.stop()).code).toBe(0);
});

test('a service whose state directory somebody still holds names the holder, and ends so that it is started again', async (context) => {
  const host = await makeHost(context, {});
  const toBucket = toDirectory(join(host.base, 'bucket'));
  const holder = start(context, host, ['run'], toBucket);
  await holder.event('daemon.started');
  const { address, said } = await listenForNotifications();
  const second = await start(context, host, ['run'], { ...toBucket, NOTIFY_SOCKET: address }).ended;
  expect([second.code, said()]).toEqual([75, []]);
  expect(second.stderr).toContain(String(holder.pid));
  expect((await start(context, host, ['run'], toBucket).ended).code).toBe(78);
  expect((await holder.stop()).code).toBe(0);
});
