import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createHostFate } from '../../src/adapters/host-fate.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A machine whose `systemctl` is that script; booted with systemd unless said otherwise. */
async function machine(script: string, { booted = true } = {}) {
  const base = await temporaryDirectory();
  const program = join(base, 'systemctl');
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
  const bootedWith = join(base, 'system');
  if (booted) await mkdir(bootedWith);
  const cgroup = join(base, 'cgroup');
  await writeFile(cgroup, '0::/user.slice/user-1000.slice/session-3.scope\n');
  return { env: { PATH: process.env['PATH'] }, program, bootedWith, cgroup, isEmptyDir: async () => false };
}

const stopping = 'echo stopping; exit 1';

describe('a host with systemd', () => {
  test.each([
    ['that shuts down is going', stopping, 'the system is stopping'],
    ['that runs stays', 'echo running', undefined],
    ['of which a unit failed stays', 'echo degraded; exit 1', undefined],
    ['in maintenance stays', 'echo maintenance; exit 1', undefined],
    ['whose manager cannot be asked stays', 'exit 1', undefined],
    ['whose manager talks too much stays', 'yes stopping | head -c 100000', undefined],
    [
      'is asked for its state alone',
      '[ "$*" = is-system-running ] && echo stopping',
      'the system is stopping',
    ],
  ])('%s', async (_, script, because) => {
    expect(await createHostFate(await machine(script)).goingBecause()).toBe(because);
  });

  test('whose manager does not answer keeps nobody waiting', async () => {
    const beganMs = performance.now();
    expect(await createHostFate(await machine('exec sleep 60')).goingBecause()).toBeUndefined();
    expect(performance.now() - beganMs).toBeLessThan(20_000);
  });

  test('has no systemctl, or another first process: nothing is known', async () => {
    const without = { ...(await machine(stopping)), program: '/nonexistent/systemctl' };
    expect(await createHostFate(without).goingBecause()).toBeUndefined();
    const other = await machine(stopping, { booted: false });
    expect(await createHostFate(other).goingBecause()).toBeUndefined();
  });
});

describe('a pod', () => {
  const inCluster = { KUBERNETES_SERVICE_HOST: '10.0.0.1' };
  const own = { pid: 'pid:[4026532999]', uts: 'uts:[4026532998]' };
  const hostPid = { ...own, pid: 'pid:[4026531836]' };
  const hostNetwork = { ...own, uts: 'uts:[4026531838]' };

  async function fateOf(
    env: Record<string, string>,
    ns: typeof own,
    isOnEmptyDir: boolean,
    script = stopping,
  ) {
    const node = await machine(script);
    const namespaces = await temporaryDirectory();
    for (const [name, target] of Object.entries(ns)) await symlink(target, join(namespaces, name));
    const isEmptyDir = async () => isOnEmptyDir;
    return createHostFate({ ...node, env: { ...node.env, ...env }, namespaces, isEmptyDir }).goingBecause();
  }

  test.each<[string, Record<string, string>, typeof own, boolean, string | undefined]>([
    ['is going when we are told to', inCluster, own, false, 'the pod is going'],
    ['by name and namespace, too', { POD_NAMESPACE: 'ml' }, own, true, 'the pod is going'],
    [
      'with the network of its node, too, when its volume goes',
      inCluster,
      hostNetwork,
      true,
      'the pod is going',
    ],
    [
      'with the network of its node and a folder that stays is an agent of the node',
      inCluster,
      hostNetwork,
      false,
      undefined,
    ],
    ['that sees the processes of its node is one whatever it watches', inCluster, hostPid, true, undefined],
  ])('%s', async (_, env, ns, isOnEmptyDir, because) => {
    // The system that it could ask is the node's, and is not asked.
    expect(await fateOf(env, ns, isOnEmptyDir)).toBe(because);
  });

  test.each<[string, Record<string, string>]>([
    ['a name alone', { POD_NAME: 'a' }],
    ['an address that is empty', { KUBERNETES_SERVICE_HOST: '' }],
  ])('is not told by %s', async (_, env) => {
    expect(await fateOf(env, own, true, 'echo running')).toBeUndefined();
  });
});

describe('a job of SLURM', () => {
  const inJob = { SLURM_JOB_ID: '4711' };
  const v2 = '0::/system.slice/slurmstepd.scope/job_4711/step_batch/user/task_0\n';
  const v1 = '4:memory:/slurm/uid_1000/job_4711/step_0/task_1\n0::/system.slice/slurmd.service\n';

  test.each<[string, Record<string, string>, string, string | undefined]>([
    ['is going when its control group is ours', inJob, v2, 'the SLURM job is going'],
    ['of several daemons a node, too', inJob, v2.replace('slurm', 'node1_slurm'), 'the SLURM job is going'],
    ['by groups of version 1, too', inJob, v1, 'the SLURM job is going'],
    ['whose variables were taken away, too', {}, v2, 'the SLURM job is going'],
    [
      'without groups of its own is told by its variables below the daemon',
      inJob,
      '0::/system.slice/slurmd.service\n',
      'the SLURM job is going',
    ],
    ['is not told by variables that a login shell has', inJob, '0::/user.slice/session-3.scope\n', undefined],
    ['is not where nobody names a job', {}, '0::/system.slice/slurmd.service\n', undefined],
    ['is not told by a job that another program calls so', inJob, '0::/user.slice/job_4711/x\n', undefined],
    [
      'in a pod is not asked about',
      { ...inJob, KUBERNETES_SERVICE_HOST: '10.0.0.1' },
      v2,
      'the pod is going',
    ],
  ])('%s', async (_, env, groups, because) => {
    const node = await machine('echo running');
    await writeFile(node.cgroup, groups);
    const namespaces = await temporaryDirectory();
    expect(await createHostFate({ ...node, env: { ...node.env, ...env }, namespaces }).goingBecause()).toBe(
      because,
    );
  });

  test('where the kernel has no groups is not seen', async () => {
    const node = { ...(await machine('echo running')), cgroup: '/nonexistent/cgroup' };
    expect(await createHostFate({ ...node, env: { ...node.env, ...inJob } }).goingBecause()).toBeUndefined();
  });
});
