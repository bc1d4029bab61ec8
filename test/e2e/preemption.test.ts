import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { whyNoNamespaces } from '../support/namespaced-host.ts';
import { inPod, stopPod } from '../support/pod.ts';
import { trainlogdProgram } from '../support/program.ts';
import { onlyLog, shippedLogs } from '../support/shipped-folder.ts';
import {
  type Cleanup,
  type Host,
  makeHost,
  start,
  toDirectory,
  unsentLines,
  type Variables,
} from '../support/trainlogd.ts';

const quick = { TRAINLOGD_WATCH_SETTLE: '50ms', TRAINLOGD_WATCH_RESCAN: '1s' };
const noNamespaces = whyNoNamespaces();
const byPod = { status: 'interrupted', sealedBy: 'the pod is going' };

describe.concurrent('a sidecar', () => {
  test.skipIf(noNamespaces !== undefined)(
    'whose pod goes while nobody writes any more says interrupted, complete, and does not wait for the deadline',
    async (context) => {
      const { host, destination, trainer } = await training(context, { TRAINLOGD_DRAIN_TIMEOUT: '15s' });
      const sidecar = start(context, inPod(host));
      await sidecar.event('session.found');
      await kill(trainer);
      const { code, stderr } = await stopPod(sidecar);
      expect(code, stderr).toBe(0);
      expect(sidecar.events('host.going')).toMatchObject([{ because: 'the pod is going', quietMs: 5_000 }]);
      const { session, companions, missing } = await onlyLog(destination);
      expect(session).toMatchObject(byPod);
      // Out of view, its number says nothing.
      expect(companions.map(({ path }) => path)).toEqual(['session.pid', 'stdout.log']);
      expect(missing).toEqual([]);
    },
  );

  test.skipIf(noNamespaces !== undefined)(
    'whose training writes until the end does not claim to have all of it, and the next one on the volume has',
    async (context) => {
      const { host, destination } = await training(context, { TRAINLOGD_DRAIN_TIMEOUT: '9s' });
      const sidecar = start(context, inPod(host));
      await sidecar.event('session.found');
      const log = join(host.folder, 'run-1', 'stdout.log');
      let isOver = false;
      const ended = stopPod(sidecar).then((end) => {
        isOver = true;
        return end;
      });
      while (!isOver) {
        await appendFile(log, '.');
        await pause(100); // reason: this is the training's pace, nothing is waited for
      }
      const { code, stderr } = await ended;
      expect(code, stderr).toBe(75);
      expect(unsentLines({ stderr })).toContain('unsent: run-1: .: it is still being written');
      const left = await onlyLog(destination);
      expect(left.session).toMatchObject(byPod);
      expect(left.missing).toContainEqual({ path: '.', reason: 'changing' });

      const next = start(context, inPod(host));
      await eventually(async () => (await onlyLog(destination)).missing.length === 0, { timeoutMs: 20_000 });
      const { session, companions } = await onlyLog(destination);
      expect(session).toMatchObject({ id: 'train-1', ...byPod });
      expect(companions.map(({ path }) => path)).toEqual(['session.pid', 'stdout.log']);
      expect((await stopPod(next)).code).toBe(0);
    },
  );

  test('that is to exit when done does so when the training has ended', async (context) => {
    const { host, destination, trainer } = await training(context);
    const sidecar = start(context, host, ['run', '--exit-when-done']);
    await sidecar.event('session.found');
    await writeFile(join(host.folder, 'run-1', 'result.json'), '{"status":"completed"}');
    await kill(trainer, 'SIGTERM');
    const { code, stderr } = await sidecar.ended;
    expect(code, stderr).toBe(0);
    expect(await onlyLog(destination)).toMatchObject({ session: { status: 'completed' }, missing: [] });
  });

  test('and when it is killed, which it sees where processes are shared', async (context) => {
    const { host, destination, trainer } = await training(context);
    await eventually(() => existsSync(join(host.folder, 'run-1', 'session.pid')));
    const sidecar = start(context, host, ['run', '--exit-when-done']);
    await sidecar.event('session.found');
    // A look that finds another session is a later one: by then the process was seen alive.
    await mkdir(join(host.folder, 'run-2'));
    await writeFile(join(host.folder, 'run-2', 'result.json'), '{"status":"completed"}');
    await sidecar.event('session.found', ({ path }) => path === 'run-2');
    await kill(trainer);
    const { code, stderr } = await sidecar.ended;
    expect(code, stderr).toBe(0);
    const logs = await shippedLogs(destination);
    expect(logs).toHaveLength(2);
    const { session, missing } = logs.find((log) => log.session.id === 'train-1') ?? {};
    const sealedBy = `session.pid: process ${trainer.pid} is gone`;
    expect(session).toMatchObject({ status: 'interrupted', sealedBy });
    expect(missing).toEqual([]);
  });

  test.skipIf(noNamespaces !== undefined)('where they are not, silence is the end', async (context) => {
    const { host, destination, trainer } = await training(context);
    const sidecar = start(context, inPod(host), ['run', '--exit-when-done=2s']);
    await sidecar.event('session.found');
    await kill(trainer);
    const { code, stderr } = await sidecar.ended;
    expect(code, stderr).toBe(0);
    const { session, missing } = await onlyLog(destination);
    expect(session).toMatchObject({ status: 'stalled', sealedBy: 'no change for 2 s' });
    expect(missing).toEqual([]);
  });
});

describe.concurrent('an agent in a job of SLURM', () => {
  test.skipIf(noNamespaces !== undefined)(
    'that is preempted says interrupted of what is silent, and is gone within the grace',
    async (context) => {
      const host = await makeHost(context, {}, { ...quick, TRAINLOGD_DRAIN_TIMEOUT: '15s' });
      const destination = join(host.base, 'shipped');
      await mkdir(join(host.folder, 'run-1'));
      await writeFile(join(host.folder, 'run-1', 'session.json'), '{"id":"train-1"}');
      await writeFile(join(host.folder, 'run-1', 'stdout.log'), 'epoch 1\n');
      const groups = join(host.base, 'cgroup');
      await writeFile(groups, '0::/system.slice/slurmstepd.scope/job_4711/step_batch/user/task_0\n');
      const inJob = [
        'unshare',
        '--mount',
        'sh',
        '-c',
        'mount --bind "$0" /proc/$$/cgroup && exec "$@"',
        groups,
      ];
      const command = [...inJob, ...(host.command ?? trainlogdProgram)] as [string, ...string[]];
      const env = { ...host.env, ...toDirectory(destination), SLURM_JOB_ID: '4711' };
      const agent = start(context, { ...host, command, env });
      await agent.event('session.found');
      const { code, stderr } = await agent.stop();
      expect(code, stderr).toBe(0);
      const { session, pod, companions, missing } = await onlyLog(destination);
      expect(session).toMatchObject({ status: 'interrupted', sealedBy: 'the SLURM job is going' });
      expect(pod).toMatchObject({ id: '4711', provider: 'slurm' });
      expect([companions.map(({ path }) => path), missing]).toEqual([['stdout.log'], []]);
    },
  );
});

/** A training as a process of its own, that has named itself and says nothing more. */
async function training(
  context: Cleanup,
  more: Variables = {},
): Promise<{ host: Host; destination: string; trainer: ChildProcess }> {
  const host = await makeHost(context, {}, { ...quick, ...more });
  const destination = join(host.base, 'shipped');
  const directory = join(host.folder, 'run-1');
  await mkdir(directory);
  await writeFile(join(directory, 'session.json'), '{"id":"train-1"}');
  const script = 'echo epoch 1 >> stdout.log; echo $$ > session.pid; exec sleep 600';
  const trainer = spawn('sh', ['-c', script], { cwd: directory, stdio: 'ignore' });
  context.onTestFinished(() => void trainer.kill('SIGKILL'));
  const { env } = host;
  return { host: { ...host, env: { ...env, ...toDirectory(destination) } }, destination, trainer };
}

async function kill(trainer: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  const gone = once(trainer, 'exit');
  trainer.kill(signal);
  await gone;
}
