import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { appendFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { shippedLogs } from '../support/shipped-folder.ts';
import { mountExt4, mountSmallDisk } from '../support/small-disk.ts';
import {
  type Cleanup,
  type Host,
  makeHost,
  run,
  start,
  statusOf,
  type Trainlogd,
  toDirectory,
  unsentLines,
} from '../support/trainlogd.ts';

const quick = {
  TRAINLOGD_WATCH_SETTLE: '50ms',
  TRAINLOGD_WATCH_RESCAN: '500ms',
  TRAINLOGD_RETRY_BASE_DELAY: '50ms',
  TRAINLOGD_RETRY_MAX_DELAY: '500ms',
};
const several = 12;

describe.concurrent('with a limit of the host reached', () => {
  test('a state disk that runs full is named and waited for; once there is room all arrives', async (context) => {
    const { host, destination } = await makePlace(context);
    const disk = mountSmallDisk(context, host.state, 'size=24m');
    const daemon = start(context, host);
    await train(host, 'before', 1);
    await shipped(destination, 1);
    disk.fill();
    await train(host, 'during', several);
    const trouble = await daemon.event('journal.trouble');
    expect(trouble).toMatchObject({ state: host.state, code: 'SQLITE_FULL', level: 'error' });
    expect(trouble.message).toMatch(/free space on its disk.*what is unsent waits, trying again in 1\.0 s/);
    expect(await statusOf(context, host)).toMatchObject({
      running: true,
      pid: daemon.pid,
      trouble: { code: 'SQLITE_FULL', remedy: expect.stringContaining('free space') },
    });
    disk.free();
    await daemon.event('journal.usable');
    await train(host, 'after', 1);
    await allArrived(daemon, destination, several + 2);
  });

  test('a state disk without inodes keeps no session from its bucket, and says what it costs', async (context) => {
    const base = await makeHost(context, {});
    const disk = mountSmallDisk(context, join(base.base, 'disk'), 'size=8m,nr_inodes=120');
    const destination = join(base.base, 'shipped');
    const host = moved(base, disk.path, destination);
    mkdirSync(host.folder);
    const daemon = start(context, host);
    await train(host, 'before', 1);
    await shipped(destination, 1);
    const half = join(host.folder, 'during-0');
    await mkdir(half);
    await writeFile(join(half, 'session.json'), '{}');
    await writeFile(join(half, 'stdout.log'), 'line\n');
    await daemon.event('session.found', ({ path }) => path === 'during-0');
    const fillers = await useInodes(disk.path);
    expect(fillers).toBeGreaterThan(0);
    // An empty directory, a name that is written over: nothing that needs an inode.
    await writeFile(join(half, 'session.json'), '{"version":"2"}');
    spawnSync('rm', [join(disk.path, 'filler-0')]);
    await writeFile(join(half, '_SUCCESS'), '');
    await shipped(destination, 2);
    expect(await daemon.event('claims.impossible')).toMatchObject({
      code: 'ENOSPC',
      remedy: expect.stringContaining('inodes'),
    });
    await allArrived(daemon, destination, 2);
  });

  test('a state disk that an error made read-only is named, and all goes on once it is mounted again', async (context) => {
    const { host, destination } = await makePlace(context);
    const image = join(host.base, 'image');
    const disk = mountExt4(context, host.state, image, 16);
    const daemon = start(context, host);
    await train(host, 'before', 1);
    await shipped(destination, 1);
    disk.remount('abort');
    await train(host, 'during', 3);
    const trouble = await daemon.event('journal.trouble');
    expect(trouble.code).toMatch(/^(SQLITE_IOERR|SQLITE_READONLY|EROFS)$/);
    // Mounted while somebody still has a file of it open, it would be the same broken mount again.
    await eventually(() => {
      spawnSync('umount', ['-l', host.state]);
      spawnSync('e2fsck', ['-fp', image]);
      const isMounted = spawnSync('mount', ['-o', 'loop', image, host.state]).status === 0;
      return isMounted && spawnSync('touch', [host.state]).status === 0;
    });
    await daemon.event('journal.usable');
    await allArrived(daemon, destination, 4);
  });

  test('drain --timeout ends in time on a state disk that stays full, with the reason, and the next one ships all', async (context) => {
    const { host, destination } = await makePlace(context);
    const disk = mountSmallDisk(context, host.state, 'size=4m');
    expect((await run(context, host, ['drain'])).code).toBe(0);
    disk.fill(8192);
    await train(host, 'run', several);
    const ended = await run(context, host, ['drain', '--timeout', '3s']);
    expect(ended.code, ended.stderr).toBe(75);
    expect(unsentLines(ended).join('\n')).toContain(host.folder);
    expect(ended.stderr).toMatch(/^why: the state directory .* is not usable, SQLITE_FULL: .*free space/m);
    disk.free();
    expect((await run(context, host, ['drain'])).code).toBe(0);
    expect((await shippedLogs(destination)).length).toBe(several);
  });

  test('without a free descriptor files are named and tried again, and none is given up', async (context) => {
    const { host, destination } = await makePlace(context);
    const daemon = start(context, host);
    await train(host, 'before', 1);
    await shipped(destination, 1);
    const open = readdirSync(`/proc/${daemon.pid}/fd`).length;
    limitFiles(daemon, open);
    await train(host, 'during', several);
    expect(await daemon.event('files.limit')).toMatchObject({ code: 'EMFILE' });
    limitFiles(daemon, 1024);
    await allArrived(daemon, destination, several + 1);
    expect(daemon.events('file.parked')).toEqual([]);
  });

  test('a full source disk stops the training, and no session that is there', async (context) => {
    const { host, destination } = await makePlace(context);
    const disk = mountSmallDisk(context, host.folder, 'size=1m');
    const daemon = start(context, host);
    await train(host, 'first', 1);
    await mkdir(join(host.folder, 'cut'));
    await writeFile(join(host.folder, 'cut', 'session.json'), '{"id":"cut"}');
    await writeFile(join(host.folder, 'cut', 'stdout.log'), 'begins\n');
    disk.fill();
    await expect(appendFile(join(host.folder, 'cut', 'stdout.log'), 'x'.repeat(8192))).rejects.toThrow(
      'ENOSPC',
    );
    await shipped(destination, 1);
    disk.free();
    await appendFile(join(host.folder, 'cut', 'stdout.log'), 'ends\n');
    await writeFile(join(host.folder, 'cut', '_SUCCESS'), '');
    await allArrived(daemon, destination, 2);
  });

  test('a full destination is blocked with its remedy, and served once there is room', async (context) => {
    const { host, destination } = await makePlace(context);
    const disk = mountSmallDisk(context, destination, 'size=1m');
    disk.fill();
    const daemon = start(context, host);
    await train(host, 'run', 3);
    expect(await daemon.event('destination.blocked')).toMatchObject({
      code: 'ENOSPC',
      remedy: expect.stringContaining('free space'),
    });
    disk.free();
    await allArrived(daemon, destination, 3);
  });
});

async function makePlace(context: Cleanup): Promise<{ host: Host; destination: string }> {
  const host = await makeHost(context, {}, quick);
  const destination = join(host.base, 'shipped');
  return { host: { ...host, env: { ...host.env, ...toDirectory(destination) } }, destination };
}

function moved(host: Host, disk: string, destination: string): Host {
  const [folder, state] = [join(disk, 'folder'), join(disk, 'state')];
  const env = {
    ...host.env,
    ...quick,
    TRAINLOGD_WATCH_DIRECTORY: folder,
    TRAINLOGD_STATE_DIRECTORY: state,
    ...toDirectory(destination),
  };
  return { ...host, folder, state, env };
}

/** Whole sessions, each with a name of its own. */
async function train(host: Host, name: string, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    const directory = join(host.folder, `${name}-${at}`);
    await mkdir(directory);
    await writeFile(join(directory, 'session.json'), JSON.stringify({ id: `${name}-${at}` }));
    for (const file of ['stdout.log', 'metrics.jsonl'])
      await writeFile(join(directory, file), `${name} ${at}\n`);
    await writeFile(join(directory, '_SUCCESS'), '');
  }
}

async function useInodes(disk: string): Promise<number> {
  for (let count = 0; ; count++) {
    try {
      await writeFile(join(disk, `filler-${count}`), '');
    } catch {
      return count; // reason: that is what was wanted
    }
  }
}

/** Complete and with nothing missing. */
async function shipped(destination: string, count: number): Promise<void> {
  await eventually(
    async () => {
      const logs = await shippedLogs(destination);
      const whole = logs.filter(({ session, missing }) => session.status === 'completed' && !missing.length);
      if (whole.length < count) throw new Error(`${whole.length} of ${count}, ${logs.length} logs`);
      return true;
    },
    { timeoutMs: 20_000, everyMs: 50 },
  );
}

async function allArrived(daemon: Trainlogd, destination: string, count: number): Promise<void> {
  await shipped(destination, count);
  const ended = await daemon.stop();
  expect(ended.code, ended.stderr).toBe(0);
  expect(unsentLines(ended)).toEqual([]);
  const logs = await shippedLogs(destination);
  expect(logs.length).toBe(count);
  const files = await readdir(destination, { recursive: true, withFileTypes: true });
  const companions = files.filter(
    (file) =>
      file.isFile() && file.parentPath.includes('/companions/') && !file.parentPath.includes('/.trainlogd'),
  );
  expect(companions.length).toBe(logs.flatMap((log) => log.companions).length);
}

function limitFiles({ pid }: Trainlogd, count: number): void {
  const ran = spawnSync('prlimit', ['--pid', String(pid), `--nofile=${count}:`], { encoding: 'utf8' });
  expect(ran.stderr).toBe('');
}
