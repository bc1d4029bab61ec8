import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Status } from '../../src/ports/status.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { type Cleanup, type Host, makeHost, start, statusOf, type Trainlogd } from '../support/trainlogd.ts';

describe.concurrent('HTTP of a running agent', () => {
  test('shows what it does, and moves with its configuration', async (context) => {
    const place = await makePlace(context);
    const [first, second] = [await freePort(), await freePort()];
    await configure(place, `127.0.0.1:${first}`);
    const daemon = start(context, place.host);
    const url = `http://127.0.0.1:${first}/`;
    expect(await daemon.event('http.listening')).toMatchObject({ url, pages: 'loopback', level: 'info' });
    expect(await eventually(async () => ((await fetch(`${url}readyz`)).ok ? 'ready' : undefined))).toBe(
      'ready',
    );
    await train(place.host, 'run-1');
    await daemon.event('session.shipped');
    const { journal, ...shown } = await lookAt(url);
    expect(shown).toEqual({ page: true, session: true, loss: true, counted: true });
    expect(journal.http).toEqual({ url });
    expect((await statusOf(context, place.host)).http).toEqual({ url });

    await configure(place, `[::1]:${second}`);
    daemon.signal('SIGHUP');
    const moved = `http://[::1]:${second}/`;
    await daemon.event('http.listening', (event) => event.url === moved);
    expect((await lookAt(moved)).page).toBe(true);
    await expect(fetch(url)).rejects.toThrow();

    await configure(place, 'off');
    daemon.signal('SIGHUP');
    await eventually(() => daemon.events('daemon.started').length === 3);
    await expect(fetch(moved)).rejects.toThrow();
    expect((await statusOf(context, place.host)).http).toBeUndefined();
    expect((await daemon.stop()).code).toBe(0);
  });

  test('on a port that another agent has is a warning: both ship', async (context) => {
    const listen = `127.0.0.1:${await freePort()}`;
    const places = [await makePlace(context), await makePlace(context)];
    const daemons: Trainlogd[] = [];
    for (const place of places) {
      await configure(place, listen);
      const daemon = start(context, place.host);
      daemons.push(daemon);
      await daemon.event(daemons.length === 1 ? 'http.listening' : 'http.unavailable');
      await train(place.host, 'run');
      await daemon.event('session.shipped');
    }
    const [, second] = daemons;
    const [told] = second?.events('http.unavailable') ?? [];
    expect(told).toMatchObject({ address: listen, code: 'EADDRINUSE', level: 'warn' });
    expect(told?.message).toContain('http.listen');
    for (const daemon of daemons) expect((await daemon.stop()).code).toBe(0);
  });

  test('goes on while the state directory cannot be used: alive, not ready, and it says why', async (context) => {
    const place = await makePlace(context);
    const disk = mountSmallDisk(context, place.host.state, 'size=24m');
    await configure(place, `127.0.0.1:${await freePort()}`);
    const daemon = start(context, place.host);
    const { url } = await daemon.event('http.listening');
    disk.fill();
    for (let at = 0; at < 12; at++) await train(place.host, `during-${at}`);
    await daemon.event('journal.trouble');
    await eventually(() => daemon.events('http.listening').length === 2);
    const ask = async (path: string) => {
      const answer = await fetch(new URL(path, url));
      return { status: answer.status, text: await answer.text() };
    };
    expect((await ask('healthz')).status).toBe(200);
    const ready = await ask('readyz');
    expect(ready.status).toBe(503);
    expect(ready.text).toMatch(/^not ready: the state directory cannot be used, SQLITE_FULL: .*free space/);
    const metrics = (await ask('metrics')).text;
    expect(metrics).toMatch(/^trainlogd_state_usable 0$/m);
    expect(metrics).toMatch(/^trainlogd_process_resident_memory_bytes \d+$/m);
    // Who knows how much waits is the journal, and it is not asked.
    expect(metrics).not.toContain('trainlogd_backlog_files');
    expect((await ask('')).text).toContain('1 thing needs you');
    expect(JSON.parse((await ask('api/status')).text)).toMatchObject({ trouble: { code: 'SQLITE_FULL' } });
    expect((await ask('sessions/during-0')).status).toBe(503);
    disk.free();
    await daemon.event('journal.usable');
    await eventually(() => daemon.events('session.shipped').length === 12);
    expect((await ask('metrics')).text).toMatch(/^trainlogd_state_usable 1$/m);
    expect((await daemon.stop()).code).toBe(0);
  });
});

interface Place {
  readonly host: Host;
  readonly file: string;
}

async function makePlace(context: Cleanup): Promise<Place> {
  const host = await makeHost(context, {});
  const file = join(host.base, 'config.yaml');
  const { TRAINLOGD_HTTP_LISTEN: _, ...env } = host.env;
  return { host: { ...host, env: { ...env, TRAINLOGD_CONFIG: file } }, file };
}

/** JSON is YAML. */
function configure({ host, file }: Place, listen: string): Promise<void> {
  const config = {
    watch: { settle: '50ms', rescan: '500ms' },
    destination: { url: `file://${join(host.base, 'shipped')}` },
    drain: { timeout: '2s' },
    http: { listen },
  };
  return writeFile(file, JSON.stringify(config));
}

async function train({ folder }: Host, name: string): Promise<void> {
  const directory = join(folder, name);
  await mkdir(directory);
  await writeFile(
    join(directory, 'session.json'),
    JSON.stringify({ id: name, startedAt: '2026-01-31T12:00:00Z' }),
  );
  const log_history = [2.5, 1.25, 0.75].map((loss, at) => ({ step: at + 1, epoch: (at + 1) / 3, loss }));
  await writeFile(
    join(directory, 'trainer_state.json'),
    JSON.stringify({ global_step: 3, max_steps: 3, log_history }),
  );
  await writeFile(join(directory, 'result.json'), JSON.stringify({ status: 'completed' }));
}

async function lookAt(url: string) {
  const text = async (path: string) => (await fetch(new URL(path, url))).text();
  const overview = await text('');
  const session = await text('sessions/run-1');
  return {
    page: overview.includes('href="/sessions/run-1"'),
    session: session.includes('training-logs/2026/01/run-1.log'),
    loss: overview.includes('class="spark"') && session.includes('class="plot"'),
    counted: /^trainlogd_session_logs_total\{kind="final"\} 1$/m.test(await text('metrics')),
    journal: JSON.parse(await text('api/status')) as Status,
  };
}
