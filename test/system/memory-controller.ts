import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';
import type { Cleanup } from '../support/trainlogd.ts';
import type { Launch } from './booted-host.ts';

const hierarchy = '/sys/fs/cgroup/memory';
/** systemd 256 and 257 want to be asked for it. */
const legacy = 'SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1';

/**
 * How a container is booted whose systemd has the memory controller, where that is one of version 1: systemd-nspawn mounts
 * it so that it cannot be written, and the first process makes it writable. What is limited there is all below a group of
 * our own. Undefined where there is no such controller.
 */
export function withMemoryController(context: Cleanup): Launch | undefined {
  if (!existsSync(join(hierarchy, 'memory.limit_in_bytes'))) return undefined;
  const group = join(hierarchy, `trainlogd-test-${process.pid}`);
  mkdirSync(group);
  context.onTestFinished(() => eventually(() => removeGroup(group) === undefined).then(() => undefined));
  return {
    enter: ['sh', '-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', group],
    env: { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '0', SYSTEMD_NSPAWN_USE_CGNS: '1' },
    init: `#!/bin/sh\nmount -o remount,rw,bind ${hierarchy} && exec /lib/systemd/systemd ${legacy}\n`,
    lifeMsMax: 900_000,
  };
}

/** Throws while a process is in it. */
function removeGroup(group: string): void {
  for (const entry of readdirSync(group, { withFileTypes: true }))
    if (entry.isDirectory()) removeGroup(join(group, entry.name));
  rmdirSync(group);
}

/** The lines of `memory_of_unit` of guest.sh: a name and a number each. */
export function counts(text: string): Readonly<Record<string, number>> {
  return Object.fromEntries(
    [...text.matchAll(/^(\S+) (\d+)$/gm)].map(([, name, count]) => [name, Number(count)]),
  );
}
