import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/system-time.ts';
import { checkDisk, roomAt } from '../../src/doctor/disk.ts';
import { checkState } from '../../src/doctor/state-directory.ts';
import { hangingMount } from '../support/hanging-mount.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { makeHost, run, toDirectory } from '../support/trainlogd.ts';
import { visitOf } from './visit.ts';

test('a disk without room, and one without inodes, are told with what they are for', async (context) => {
  const { place, visit } = await visitOf({});
  await mkdir(place.destination);
  mountSmallDisk(context, place.folder, 'size=1m,nr_inodes=64');
  mountSmallDisk(context, place.destination, 'size=200m').fill(100 * 1024 * 1024);
  const findings = await checkDisk(visit);
  expect(findings).toMatchObject([
    { code: 'disk.free', level: 'critical', remedy: expect.stringContaining('a training that cannot write') },
    { code: 'disk.ok', finding: expect.stringContaining('the state directory') },
    { code: 'disk.ok', finding: expect.stringContaining('the destination') },
  ]);
  for (let n = 0; n < 64; n++) await writeFile(join(place.folder, `${n}`), '').catch(() => undefined); // reason: full is wanted
  expect(await checkDisk(visit)).toContainEqual(
    expect.objectContaining({ code: 'disk.inodes', level: 'critical' }),
  );
});

test('a state directory that is mounted read-only is said so', async (context) => {
  const { place, visit } = await visitOf({});
  mountSmallDisk(context, place.state, 'size=1m,ro');
  expect(await checkState(visit)).toMatchObject([{ code: 'state.unwritable', evidence: 'EROFS' }]);
});

test('a mount that never answers is told, is waited for once, and lets the process end', async (context) => {
  const host = await makeHost(context, toDirectory('/nowhere'));
  const mount = join(host.base, 'mount');
  hangingMount(context, mount);
  const { code, stdout } = await run(context, host, ['doctor'], {
    TRAINLOGD_WATCH_DIRECTORY: join(mount, 'folder'),
    TRAINLOGD_STATE_DIRECTORY: join(mount, 'state'),
    TRAINLOGD_DESTINATION_URL: `file://${mount}/destination`,
  });
  expect(code).toBe(1);
  const flat = stdout.replace(/\s+/g, ' ');
  for (const what of ['the folder', 'the state directory', 'the destination directory'])
    expect(flat).toMatch(new RegExp(`WRONG \\w+: ${what} "[^"]*" does not answer to do check its mount`));
});

test('a mount that has not answered yet is not asked again', async (context) => {
  const host = await makeHost(context, toDirectory('/nowhere'));
  const mount = join(host.base, 'mount');
  hangingMount(context, mount);
  const asking = new Set<string>();
  const silent = `${JSON.stringify(mount)} does not answer`;
  expect(await roomAt(mount, systemClock, 20, asking)).toBe(silent);
  expect([...asking]).toEqual([mount]);
  const nobodyWaits = { ...systemClock, sleep: () => Promise.reject(new Error('asked again')) };
  expect(await roomAt(mount, nobodyWaits, 20, asking)).toBe(silent);
  expect(await roomAt(host.base, systemClock, 10_000, asking)).toMatchObject({
    freeBytes: expect.any(Number),
  });
});
