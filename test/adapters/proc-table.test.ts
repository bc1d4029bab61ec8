import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createProcessTable } from '../../src/adapters/proc-table.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const table = createProcessTable();

async function started(child: ChildProcess): Promise<number> {
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  if (child.pid === undefined) throw new Error('a spawned child has a pid');
  return child.pid;
}

test('a process is identified while it lives, and known to be dead once it was killed', async () => {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  const pid = await started(child);
  const identity = await table.identify(pid);
  if (identity === undefined) throw new Error('a living child is in view');
  expect(identity).toMatchObject({ pid, startTicks: expect.stringMatching(/^\d+$/) });
  expect(identity.bootId).toMatch(/^[0-9a-f-]{36}$/);
  expect(identity.pidNamespace).toMatch(/^pid:\[\d+\]$/);
  expect(Math.abs(identity.startedAtMs - Date.now())).toBeLessThan(60_000);
  expect(await table.isAlive(identity)).toBe(true);
  expect(await table.isAlive({ ...identity, startTicks: '1' })).toBe(false);
  expect(await table.isAlive({ ...identity, bootId: 'another boot' })).toBe(false);
  expect(await table.isAlive({ ...identity, pidNamespace: 'pid:[1]' })).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await table.isAlive(identity)).toBe(false);
  expect(await table.identify(pid)).toBeUndefined();
});

test('a process that ended and that nobody waited for is dead', async () => {
  const parent = spawn('sh', ['-c', 'sleep 1000 & echo $!; exec sleep 1000'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const parentPid = await started(parent);
  const [line] = await once(parent.stdout, 'data');
  const pid = Number(String(line).trim());
  expect(pid).toBeGreaterThan(1);
  // Once the shell has become something that waits for nobody.
  await eventually(async () => (await readFile(`/proc/${parentPid}/comm`, 'utf8')) === 'sleep\n');
  expect(await table.identify(pid)).toBeDefined();
  process.kill(pid, 'SIGKILL');
  await eventually(async () => (await table.identify(pid)) === undefined);
  // Still in /proc: it is not its absence that was seen.
  expect((await stat(`/proc/${pid}`)).isDirectory()).toBe(true);
});

test('files that another process holds open are found by device and inode, our own are not', async () => {
  const directory = await temporaryDirectory();
  const [heldPath, ownPath] = [join(directory, 'held'), join(directory, 'own')];
  const held = await open(heldPath, 'w');
  const child = spawn('sleep', ['1000'], { stdio: ['ignore', held.fd, 'ignore'] });
  await started(child);
  await held.close();
  const own = await open(ownPath, 'w');
  onTestFinished(() => own.close());
  const heldId = await idOf(heldPath);
  const asked = new Set([heldId, await idOf(ownPath), '1:2']);
  expect(await table.heldOpen(asked)).toEqual(new Set([heldId]));
  const all = await table.allHeldOpen(100_000);
  expect(all?.has(heldId)).toBe(true);
  expect(all?.has(await idOf(ownPath))).toBe(false);
  expect(await table.allHeldOpen(0)).toBeUndefined();
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await table.heldOpen(asked)).toEqual(new Set());
});

test('without /proc no process is in view, and none is declared dead', async () => {
  const none = createProcessTable(join(await temporaryDirectory(), 'none'));
  const identity = { pid: 1, startTicks: '1', startedAtMs: 0, bootId: 'boot', pidNamespace: 'pid:[1]' };
  expect(await none.identify(1)).toBeUndefined();
  expect(await none.isAlive(identity)).toBe(true);
  expect(await none.heldOpen(new Set(['1:1']))).toEqual(new Set());
});

test.each([
  ['sleep', 'S', 1, '77', true],
  ['a (nasty) name) S 1', 'R', 1, '77', true],
  ['two\nlines', 'D', 4, '77', true],
  ['zombie', 'Z', 1, '77', false],
  ['leader gone, threads live', 'Z', 3, '77', true],
  ['in a container', 'S', 1, '77\t7', false],
])(
  'the process %j in state %s with %i threads and NSpid %j is alive: %s',
  async (comm, state, threads, nsPid, alive) => {
    const proc = await temporaryDirectory();
    await mkdir(join(proc, 'sys/kernel/random'), { recursive: true });
    await writeFile(join(proc, 'sys/kernel/random/boot_id'), 'boot-1\n');
    await writeFile(join(proc, 'stat'), 'cpu 1 2\nbtime 1700000000\n');
    await mkdir(join(proc, '4242/ns'), { recursive: true });
    await symlink('4242', join(proc, 'self'));
    await symlink('pid:[4026531836]', join(proc, '4242/ns/pid'));
    await mkdir(join(proc, '77'));
    await writeFile(join(proc, '77/status'), `Name:\tx\nNSpid:\t${nsPid}\nVmPeak:\t1 kB\n`);
    const after = `1 77 77 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 ${threads} 0 12345 1 1`;
    await writeFile(join(proc, '77/stat'), `77 (${comm}) ${state} ${after}\n`);
    const identity = await createProcessTable(proc).identify(77);
    expect(identity).toEqual(
      alive
        ? {
            pid: 77,
            startTicks: '12345',
            startedAtMs: 1_700_000_000_000 + 123_450,
            bootId: 'boot-1',
            pidNamespace: 'pid:[4026531836]',
          }
        : undefined,
    );
  },
);

async function idOf(path: string): Promise<string> {
  const { dev, ino } = await stat(path, { bigint: true });
  return `${dev}:${ino}`;
}

test('of a process only the variables that are asked for are read, and none of one that took its number', async () => {
  const env = { SLURM_JOB_ID: '5109', HF_TOKEN: 'secret', EMPTY: '' };
  const child = spawn('sleep', ['1000'], { stdio: 'ignore', env });
  const identity = await table.identify(await started(child));
  if (identity === undefined) throw new Error('a living child is in view');
  // Until the child has become sleep it is a copy of this process.
  const names = new Set(['SLURM_JOB_ID', 'EMPTY', 'PATH']);
  await eventually(async () => (await table.variables(identity, names))?.['SLURM_JOB_ID'] !== undefined);
  expect(await table.variables(identity, names)).toEqual({ SLURM_JOB_ID: '5109', EMPTY: '' });
  expect(await table.variables({ ...identity, startTicks: '1' }, names)).toBeUndefined();
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await table.variables(identity, names)).toBeUndefined();
});
