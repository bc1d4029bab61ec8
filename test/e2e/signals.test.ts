import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { onlyLog } from '../support/shipped-folder.ts';
import {
  type Cleanup,
  type Host,
  makeHost,
  run,
  start,
  toDirectory,
  unsentLines,
} from '../support/trainlogd.ts';

const quick = { TRAINLOGD_WATCH_SETTLE: '50ms', TRAINLOGD_WATCH_RESCAN: '1s' };

describe.concurrent('signals', () => {
  test('SIGTERM ships the log of an open session as it is, and the next start carries on', async (context) => {
    const { host, destination } = await openSession(context, { TRAINLOGD_DRAIN_TIMEOUT: '2s' });
    const first = start(context, host);
    await first.event('session.found');
    const ended = await first.stop();
    expect(ended.code, ended.stderr).toBe(75);
    expect(unsentLines(ended)).toEqual([
      expect.stringContaining('session.json: its session goes on'),
      expect.stringContaining('stdout.log: its session goes on'),
    ]);
    const running = await onlyLog(destination);
    expect(running.session).toMatchObject({ id: 'train-1', status: 'running', revision: 1 });
    expect(running).toMatchObject({
      companions: [],
      missing: [{ path: 'stdout.log', bytes: 5, reason: 'pending' }],
    });

    const second = start(context, host);
    await second.event('daemon.started');
    await end(host, 'completed');
    await second.event('session.shipped', ({ status }) => status === 'completed');
    expect((await second.stop()).code).toBe(0);
    const completed = await onlyLog(destination);
    expect(completed.session).toMatchObject({ id: 'train-1', status: 'completed' });
    expect(completed.session.revision).toBeGreaterThan(1);
    expect(completed).toMatchObject({ companions: [{ path: 'stdout.log', bytes: 5 }], missing: [] });
  });

  test('a session that ends while SIGTERM is being served is completed before the deadline', async (context) => {
    const { host, destination } = await openSession(context, { TRAINLOGD_DRAIN_TIMEOUT: '20s' });
    const daemon = start(context, host);
    await daemon.event('session.found');
    daemon.signal('SIGTERM');
    await eventually(async () => (await onlyLog(destination)).session.status === 'running');
    const endedAt = performance.now();
    await end(host, 'cancelled');
    const { code, stderr } = await daemon.ended;
    expect(code, stderr).toBe(0);
    expect(performance.now() - endedAt).toBeLessThan(15_000);
    const log = await onlyLog(destination);
    expect(log).toMatchObject({ companions: [{ path: 'stdout.log' }], missing: [] });
    expect(log.session).toMatchObject({ status: 'cancelled', sealedBy: 'result.json' });
  });

  test('a second signal stops at once', async (context) => {
    const { host } = await openSession(context, { TRAINLOGD_DRAIN_TIMEOUT: '10m' });
    const daemon = start(context, host);
    await daemon.event('session.found');
    daemon.signal('SIGTERM');
    await daemon.event('daemon.draining', ({ timeoutMs }) => timeoutMs === 600_000);
    daemon.signal('SIGINT');
    const ended = await daemon.ended;
    expect(ended).toMatchObject({ code: 75, signal: null });
    expect(daemon.events('daemon.forced')).toMatchObject([{ signal: 'SIGINT' }]);
    expect(unsentLines(ended).join('\n')).toContain('stdout.log');
  });

  test('SIGUSR1 opens no debugger', async (context) => {
    const { host } = await openSession(context);
    const daemon = start(context, host);
    await daemon.event('session.found');
    daemon.signal('SIGUSR1');
    // What follows is answered behind it.
    daemon.signal('SIGHUP');
    await daemon.event('config.reloaded');
    expect((await daemon.stop()).stderr).not.toContain('Debugger');
  });

  test('run --exit-when-done ends when all that ended is shipped', async (context) => {
    const { host, destination } = await openSession(context);
    const daemon = start(context, host, ['run', '--exit-when-done']);
    await daemon.event('session.found');
    await end(host, 'failed');
    const { code, stderr } = await daemon.ended;
    expect(code, stderr).toBe(0);
    expect((await onlyLog(destination)).session.status).toBe('failed');
  });

  test('run --exit-when-done=IDLE takes that silence for an end', async (context) => {
    const { host, destination } = await openSession(context);
    const { code, stderr } = await run(context, host, ['run', '--exit-when-done=500ms']);
    expect(code, stderr).toBe(0);
    const { session, missing } = await onlyLog(destination);
    expect(session).toMatchObject({ status: 'stalled', sealedBy: expect.stringContaining('no change for') });
    expect(missing).toEqual([]);
  });

  test('a second daemon on the same state is told who holds it', async (context) => {
    const { host } = await openSession(context);
    const first = start(context, host);
    await first.event('session.found');
    const { code, stderr } = await run(context, host, ['run']);
    expect(code).toBe(78);
    expect(stderr).toContain(`process ${first.pid}`);
    expect(stderr).toContain(JSON.stringify(host.folder));
    first.signal('SIGTERM');
    first.signal('SIGTERM');
  });
});

/** A trainer that has begun and says nothing of its end. */
async function openSession(
  context: Cleanup,
  more: Readonly<Record<string, string>> = {},
): Promise<{ host: Host; destination: string }> {
  const host = await makeHost(context, {}, { ...quick, ...more });
  const destination = join(host.base, 'shipped');
  await mkdir(join(host.folder, 'run-1'));
  await writeFile(join(host.folder, 'run-1', 'session.json'), JSON.stringify({ id: 'train-1' }));
  await writeFile(join(host.folder, 'run-1', 'stdout.log'), 'hello');
  return { host: { ...host, env: { ...host.env, ...toDirectory(destination) } }, destination };
}

async function end(host: Host, status: string): Promise<void> {
  await writeFile(join(host.folder, 'run-1', 'result.json'), JSON.stringify({ status }));
}
