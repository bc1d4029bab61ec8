import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { shippedLogs } from '../support/shipped-folder.ts';
import { type Cleanup, type Host, makeHost, start, statusOf } from '../support/trainlogd.ts';

describe.concurrent('SIGHUP', () => {
  test('makes a changed configuration the one in force, in the same process', async (context) => {
    const place = await makePlace(context);
    const { host } = place;
    await configure(place, { log: { level: 'warn' } });
    const daemon = start(context, host);
    await train(host.folder, 'first');
    await arrived(place, ['first']);
    expect(daemon.events('daemon.started')).toEqual([]);
    const folder = join(host.base, 'another-folder');
    await train(folder, 'second');
    await configure(place, { watch: { directory: folder }, log: { level: 'info' } });
    daemon.signal('SIGHUP');
    const started = await daemon.event('daemon.started');
    expect(started.folder).toBe(folder);
    await arrived(place, ['first', 'second']);
    expect(await statusOf(context, place.host)).toMatchObject({ pid: daemon.pid, folder });
    expect((await daemon.stop()).code).toBe(0);
  });

  test('with a state directory of its own moves there, and lets the old one go', async (context) => {
    const place = await makePlace(context);
    const daemon = start(context, place.host);
    await daemon.event('daemon.started');
    const state = join(place.host.base, 'another-state');
    await configure(place, { state: { directory: state } });
    daemon.signal('SIGHUP');
    expect((await daemon.event('config.reloaded')).changed).toEqual(['state.directory']);
    await daemon.event('daemon.started', (event) => event.state === state);
    await train(place.host.folder, 'run');
    await arrived(place, ['run']);
    await configure(place, {});
    const other = start(context, place.host);
    await other.event('daemon.started', (event) => event.state === place.host.state);
    expect((await other.stop()).code).toBe(0);
    expect((await daemon.stop()).code).toBe(0);
  });

  test('with a configuration that is not usable names all its problems, and the one before stays', async (context) => {
    const place = await makePlace(context);
    const daemon = start(context, place.host);
    await daemon.event('daemon.started');
    await writeFile(place.file, 'watch:\n  settle: 5\n  rescn: 1s\nupload:\n  concurrency: many\n');
    daemon.signal('SIGHUP');
    const rejected = await daemon.event('config.rejected');
    expect(rejected.problems.map((problem) => problem.split(' ')[0])).toEqual(
      expect.arrayContaining(['watch.settle', 'upload.concurrency']),
    );
    expect(rejected.message).toContain('the one before stays in force');
    const taken = join(place.host.base, 'taken');
    await writeFile(taken, 'a file is in the way');
    await configure(place, { state: { directory: join(taken, 'state') } });
    daemon.signal('SIGHUP');
    await daemon.event('config.rejected', ({ problems }) => /opening the journal/.test(problems[0] ?? ''));
    await train(place.host.folder, 'run');
    await arrived(place, ['run']);
    expect((await daemon.stop()).code).toBe(0);
    expect(daemon.events('daemon.started').length).toBe(1);
  });

  test('without a change begins nothing anew', async (context) => {
    const place = await makePlace(context);
    const daemon = start(context, place.host);
    await daemon.event('daemon.started');
    daemon.signal('SIGHUP');
    expect(await daemon.event('config.reloaded')).toMatchObject({ changed: [] });
    await train(place.host.folder, 'run');
    await arrived(place, ['run']);
    expect((await daemon.stop()).code).toBe(0);
    expect(daemon.events('daemon.started').length).toBe(1);
  });

  test('ends no open session, and a run that is to end when done still does', async (context) => {
    const place = await makePlace(context);
    await configure(place, { watch: { idle: '1h' } });
    const daemon = start(context, place.host, ['run', '--exit-when-done']);
    await train(place.host.folder, 'done');
    const open = join(place.host.folder, 'open');
    await mkdir(open);
    await writeFile(join(open, 'session.json'), '{"id":"open"}');
    await daemon.event('session.shipped', ({ session }) => session === 'done');
    for (const idle of ['2h', '3h']) {
      await configure(place, { watch: { idle } });
      daemon.signal('SIGHUP');
      await eventually(() => daemon.events('config.reloaded').length === Number(idle[0]) - 1);
      await eventually(() => daemon.events('daemon.started').length === Number(idle[0]));
    }
    expect(daemon.events('session.sealed').map(({ session }) => session)).toEqual(['done']);
    await writeFile(join(open, '_SUCCESS'), '');
    const ended = await daemon.ended;
    expect(ended.code, ended.stderr).toBe(0);
    await arrived(place, ['done', 'open']);
  });

  test('before the program is loaded ends nothing', async (context) => {
    const place = await makePlace(context);
    const loading = join(place.host.base, 'loading');
    const hook = join(place.host.base, 'hook.mjs');
    // The program is loaded only once the test has taken the file away.
    await writeFile(
      hook,
      `import { existsSync, writeFileSync } from 'node:fs';
       import { registerHooks } from 'node:module';
       const cell = new Int32Array(new SharedArrayBuffer(4));
       registerHooks({ load(url, context, next) {
         if (url.endsWith('/commands/cli.ts')) {
           writeFileSync(${JSON.stringify(loading)}, '');
           while (existsSync(${JSON.stringify(loading)})) Atomics.wait(cell, 0, 0, 5);
         }
         return next(url, context);
       } });`,
    );
    const command = [process.execPath, '--import', hook, program] as const;
    const daemon = start(context, { ...place.host, command });
    await eventually(() => existsSync(loading));
    daemon.signal('SIGHUP');
    await rm(loading);
    await daemon.event('daemon.started');
    expect((await daemon.stop()).code).toBe(0);
  });

  test('of a run that has nothing left to see does not keep it from its end', async (context) => {
    const place = await makePlace(context);
    const open = join(place.host.folder, 'open');
    await mkdir(open);
    await writeFile(join(open, 'session.json'), '{"id":"open"}');
    const daemon = start(context, place.host, ['run', '--exit-when-done']);
    await daemon.event('session.found');
    await writeFile(join(open, '_SUCCESS'), '');
    await daemon.event('session.sealed');
    await configure(place, { log: { level: 'debug' } });
    daemon.signal('SIGHUP');
    const ended = await daemon.ended;
    expect(ended.code, ended.stderr).toBe(0);
    await arrived(place, ['open']);
  });
});

const program = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

interface Place {
  readonly host: Host;
  readonly file: string;
  readonly destination: string;
}

/** A host whose settings come from a file, so that they can change. */
async function makePlace(context: Cleanup): Promise<Place> {
  const host = await makeHost(context, {});
  const file = join(host.base, 'config.yaml');
  const destination = join(host.base, 'shipped');
  const { TRAINLOGD_WATCH_DIRECTORY: _, TRAINLOGD_STATE_DIRECTORY: __, ...env } = host.env;
  const place = { host: { ...host, env: { ...env, TRAINLOGD_CONFIG: file } }, file, destination };
  await configure(place, {});
  return place;
}

type Sections = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** JSON is YAML. */
async function configure({ host, file, destination }: Place, more: Sections): Promise<void> {
  const common: Sections = {
    watch: { directory: host.folder, settle: '50ms', rescan: '500ms' },
    state: { directory: host.state },
    destination: { url: `file://${destination}` },
    drain: { timeout: '2s' },
  };
  const sections = new Set([...Object.keys(common), ...Object.keys(more)]);
  const merged = [...sections].map((name) => [name, { ...common[name], ...more[name] }]);
  await writeFile(file, JSON.stringify(Object.fromEntries(merged)));
}

async function train(folder: string, name: string): Promise<void> {
  const directory = join(folder, name);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'session.json'), JSON.stringify({ id: name }));
  await writeFile(join(directory, 'stdout.log'), `of ${name}\n`);
  await writeFile(join(directory, '_SUCCESS'), '');
}

async function arrived({ destination }: Place, ids: readonly string[]): Promise<void> {
  await eventually(async () => {
    const whole = (await shippedLogs(destination)).filter(
      ({ session, missing }) => session.status === 'completed' && missing.length === 0,
    );
    expect(whole.map(({ session }) => session.id).sort()).toEqual(ids);
    return true;
  });
}
