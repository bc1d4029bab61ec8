import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { runExec } from '../support/exec.ts';
import { hangingMount } from '../support/hanging-mount.ts';
import { makeHost, run, start, statusOf, toDirectory } from '../support/trainlogd.ts';

const silent = (what: string) => new RegExp(`${what} "[^"]*/mount/[^"]*" does not answer`);

/** Each waits some seconds, and on a machine that is busy many more. */
const patience = { timeout: 120_000 };
const patientMs = 60_000;
const any = () => true;

describe.concurrent('where the server of a mount is gone', patience, () => {
  test('each command says within seconds which place does not answer, and ends', async (context) => {
    const host = await makeHost(context, toDirectory('/nowhere'));
    const mount = join(host.base, 'mount');
    hangingMount(context, mount);
    const folder = { TRAINLOGD_WATCH_DIRECTORY: join(mount, 'folder') };
    const state = { TRAINLOGD_STATE_DIRECTORY: join(mount, 'state') };
    const destination = { TRAINLOGD_DESTINATION_URL: `file://${mount}/destination` };
    const config = { TRAINLOGD_CONFIG: join(mount, 'trainlogd.yaml') };
    const cases: [args: string[], variables: Record<string, string>, code: number, said: RegExp][] = [
      [['drain'], folder, 78, silent('the folder')],
      [['status', '--check'], state, 2, silent('CRITICAL - the state directory')],
      [['drain'], destination, 69, silent('the destination directory')],
      [['run'], config, 78, silent('the configuration file')],
      // What is looked at answers: that the folder does not is told, and keeps nobody from the answer.
      [['status'], folder, 0, silent('warning: the folder')],
      [['config', 'check'], folder, 0, silent('warning: the folder')],
    ];
    const all = cases.map(async ([args, variables, code, said]) => {
      const ended = await run(context, host, args, variables);
      const name = `${args.join(' ')} ${Object.keys(variables).join()}`;
      expect(`${ended.stdout}${ended.stderr}`.replace(/\s+/g, ' '), name).toMatch(said);
      expect(ended.code, `${name}: ${ended.stderr}`).toBe(code);
    });
    await Promise.all(all);
  });

  test('a command under exec runs all the same, without a session', async (context) => {
    const host = await makeHost(context, toDirectory('/nowhere'));
    const mount = join(host.base, 'mount');
    hangingMount(context, mount);
    const ended = await runExec(context, host, [
      '--dir',
      join(mount, 'run'),
      '--',
      'sh',
      '-c',
      'echo ran; exit 5',
    ]);
    expect(ended.stdout.toString()).toBe('ran\n');
    expect(ended.stderr).toMatch(/the session's directory "[^"]*" does not answer: check its mount/);
    expect(ended.code).toBe(5);
  });

  test('a reload is refused, and what was in force goes on', async (context) => {
    const host = await makeHost(context, toDirectory('/nowhere'));
    const mount = join(host.base, 'mount');
    hangingMount(context, mount);
    const file = join(host.base, 'trainlogd.yaml');
    const { folder } = host;
    const others = { ...host.env, TRAINLOGD_CONFIG: file, TRAINLOGD_WATCH_DIRECTORY: '' };
    await writeFile(file, `watch.directory: ${folder}\n`);
    const place = {
      ...host,
      env: { ...others, TRAINLOGD_DESTINATION_URL: `file://${host.base}/destination` },
    };
    const daemon = start(context, place);
    await daemon.event('daemon.started', any, patientMs);
    await writeFile(file, `watch.directory: ${mount}/folder\n`);
    daemon.signal('SIGHUP');
    // Two more meanwhile are one more.
    daemon.signal('SIGHUP');
    // The loop is not held up by it.
    const looking = { ...place, env: { ...place.env, TRAINLOGD_WATCH_DIRECTORY: folder } };
    expect(await statusOf(context, looking)).toMatchObject({ pid: daemon.pid });
    const rejected = await daemon.event('config.rejected', any, patientMs);
    expect(rejected.problems[0]).toMatch(silent('the folder'));
    await writeFile(file, `watch.directory: ${folder}\nwatch.idle: 3h\n`);
    daemon.signal('SIGHUP');
    expect(await daemon.event('config.reloaded', any, patientMs)).toMatchObject({ changed: ['watch.idle'] });
    expect((await daemon.stop()).code).toBe(0);
  });

  test('a daemon waits for its folder, answers meanwhile, and begins once it is there', async (context) => {
    const host = await makeHost(context, toDirectory('/nowhere'));
    const mount = join(host.base, 'mount');
    const goAway = hangingMount(context, mount);
    const env = {
      ...host.env,
      TRAINLOGD_WATCH_DIRECTORY: mount,
      TRAINLOGD_DESTINATION_URL: `file://${host.base}/destination`,
    };
    const daemon = start(context, { ...host, env });
    const missing = await daemon.event('folder.missing', any, patientMs);
    expect(missing.message).toMatch(/does not answer: check its mount/);
    const place = { ...host, env: { ...env, TRAINLOGD_WATCH_DIRECTORY: host.folder } };
    const { trouble } = await eventually(
      async () => {
        const status = await statusOf(context, place);
        return status.running ? status : undefined;
      },
      { timeoutMs: patientMs },
    );
    expect(trouble).toMatchObject({ of: `the folder ${JSON.stringify(mount)}`, code: 'ETIMEDOUT' });
    goAway();
    await daemon.event('folder.found', any, patientMs);
    expect((await daemon.event('daemon.started', any, patientMs)).folder).toBe(mount);
    expect((await daemon.stop()).code).toBe(0);
  });

  test('a daemon that waits ends at a signal and says what is left', async (context) => {
    const host = await makeHost(context, toDirectory('/nowhere'));
    const mount = join(host.base, 'mount');
    hangingMount(context, mount);
    const daemon = start(context, host, ['run'], {
      TRAINLOGD_WATCH_DIRECTORY: join(mount, 'folder'),
      TRAINLOGD_STATE_DIRECTORY: join(mount, 'state'),
    });
    await daemon.event('folder.missing', any, patientMs);
    expect((await daemon.event('journal.trouble', any, patientMs)).state).toBe(join(mount, 'state'));
    const { code, stderr } = await daemon.stop();
    expect(stderr).toMatch(/^why: the folder "[^"]*" is not usable, ETIMEDOUT: .* does not answer: check/m);
    expect(code).toBe(75);
  });

  test('a daemon whose folder falls silent says so, and ends at a signal', async (context) => {
    const host = await makeHost(context, toDirectory('/nowhere'));
    const daemon = start(context, host, ['run'], {
      TRAINLOGD_HTTP_LISTEN: '127.0.0.1:0',
      TRAINLOGD_WATCH_RESCAN: '1h',
      TRAINLOGD_DRAIN_TIMEOUT: '1s',
    });
    const { url } = await daemon.event('http.listening', any, patientMs);
    // From now on it looks when it is told to.
    await eventually(async () => (await fetch(`${url}readyz`)).ok, { timeoutMs: patientMs });
    hangingMount(context, host.folder);
    const { code, signal } = await daemon.stop();
    expect(daemon.events('folder.missing')[0]?.message).toContain('it does not answer: check its mount');
    expect({ code, signal }).toEqual({ code: 0, signal: null });
  });
});
