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
  return { env: { PATH: process.env['PATH'] }, program, bootedWith };
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
  const pod = { KUBERNETES_SERVICE_HOST: '10.0.0.1' };

  test.each<[string, Record<string, string>, string, string | undefined]>([
    ['is going when we are told to', pod, 'pid:[4026532999]', 'the pod is going'],
    ['by its name and namespace, too', { POD_NAMESPACE: 'ml' }, 'pid:[4026532999]', 'the pod is going'],
    ['that sees its node goes without it', pod, 'pid:[4026531836]', undefined],
    ['is not told by a name alone', { POD_NAME: 'a' }, 'pid:[4026532999]', undefined],
    ['without an address is none', { KUBERNETES_SERVICE_HOST: '' }, 'pid:[4026532999]', undefined],
  ])('%s', async (_, env, namespace, because) => {
    const pidNamespace = join(await temporaryDirectory(), 'pid');
    await symlink(namespace, pidNamespace);
    const { bootedWith } = await machine(stopping, { booted: false });
    expect(await createHostFate({ env, pidNamespace, bootedWith }).goingBecause()).toBe(because);
  });

  test('is not asked of systemd, whose system may be the node', async () => {
    const node = await machine(stopping);
    const pidNamespace = join(await temporaryDirectory(), 'pid');
    await symlink('pid:[4026531836]', pidNamespace);
    const env = { ...node.env, ...pod };
    expect(await createHostFate({ ...node, env, pidNamespace }).goingBecause()).toBeUndefined();
  });
});
