import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { trainlogdProgram } from '../support/program.ts';
import { makeBucket } from '../support/s3-bucket.ts';
import { type Cleanup, makeHost, run, toBucket } from '../support/trainlogd.ts';
import { withCleanup } from './cleanup.ts';
import { gatewayTo, hasty, stopWithQueue } from './ten-thousand-files.ts';

async function hostWithQueue(context: Cleanup, timeout: string) {
  const bucket = await makeBucket({ versioned: false });
  const gateway = await gatewayTo(bucket, context);
  const host = await makeHost(context, toBucket({ ...bucket, endpoint: gateway.endpoint }), hasty(timeout));
  return { bucket, gateway, host };
}

describe('SIGTERM with 10,000 files queued', () => {
  test.each([
    [30, '25s', 75],
    [900, '870s', 0],
  ])(
    'and %i s of grace: drain.timeout %s, exit %i, every file is accounted for',
    async (grace, timeout, code) => {
      await withCleanup(async (context) => {
        await stopWithQueue(context, await hostWithQueue(context, timeout), { code, graceMs: grace * 1000 });
      });
    },
  );
});

const controllers = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup'];

/** As much memory as `MemoryMax=` of the unit leaves; undefined where no such limit can be set. */
function limitedGroup(
  context: Cleanup,
  bytes: number,
): { readonly path: string; kills(): number } | undefined {
  for (const controller of controllers) {
    const path = join(controller, `trainlogd-test-${process.pid}`);
    try {
      mkdirSync(path);
    } catch {
      continue; // reason: not here, or not ours to use
    }
    context.onTestFinished(() => eventually(() => rmdirSync(path) === undefined).then(() => undefined));
    const limit = ['memory.limit_in_bytes', 'memory.max'].find((name) => existsSync(join(path, name)));
    if (limit === undefined) continue;
    writeFileSync(join(path, limit), String(bytes));
    const events = existsSync(join(path, 'memory.events')) ? 'memory.events' : 'memory.oom_control';
    return {
      path,
      kills: () => Number(/^oom_kill (\d+)$/m.exec(readFileSync(join(path, events), 'utf8'))?.[1]),
    };
  }
  return undefined;
}

test('10,000 files and a large one are shipped within MemoryMax= of the unit', async ({ skip }) => {
  await withCleanup(async (context) => {
    const unit = readFileSync(new URL('../../systemd/trainlogd.service', import.meta.url), 'utf8');
    expect(unit).toContain('MemoryMax=1G');
    const group = limitedGroup(context, 1024 ** 3);
    if (!group) return skip('no memory limit can be set here');
    const queue = await hostWithQueue(context, '870s');
    const enter = ['sh', '-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', group.path] as const;
    const host = { ...queue.host, command: [...enter, ...trainlogdProgram] as const };
    await stopWithQueue(
      context,
      { ...queue, host: { ...host, command: [...host.command] } },
      { code: 0, graceMs: 900_000 },
    );
    const large = join(host.folder, 'large');
    mkdirSync(large);
    writeFileSync(join(large, 'stdout.log'), Buffer.alloc(512 * 1024 * 1024, 'x'));
    writeFileSync(join(large, '_SUCCESS'), '');
    const drained = await run(context, { ...host, command: [...host.command] }, ['drain']);
    expect(drained.code, drained.stderr.slice(-2_000)).toBe(0);
    expect(group.kills()).toBe(0);
  });
});
