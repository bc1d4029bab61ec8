import { existsSync, readFileSync } from 'node:fs';
import type { Clock } from '../ports/clock.ts';
import { createHostTools } from './host-tools.ts';

export interface Asking {
  readonly clock: Clock;
  /** How long an answer is waited for. */
  readonly ms: number;
  /** Where programs are looked for. */
  readonly path: string;
  /** What goes to a path and ends, where there is no shell. */
  readonly goer: readonly string[] | undefined;
}

const shell = '/bin/sh';
/** It is gone to, or it is not there: either is an answer. */
const goThere = 'cd -- "$1" 2>/dev/null; echo';
/** Behind the time that is waited for it, a process that hangs is killed. */
const killMs = 200;

/**
 * The paths that do not answer. Another process asks: of this one, a call to a mount whose server is gone would take a
 * thread for good, and the exit with it.
 */
export async function hungPlaces(paths: readonly string[], asking: Asking): Promise<ReadonlySet<string>> {
  const asked = [...new Set(paths)].map(async (path) => ((await answers(path, asking)) ? [] : [path]));
  return new Set((await Promise.all(asked)).flat());
}

/** What a machine serves itself, by the names that mountinfo has. */
const ownKinds =
  /^(ext[234]|xfs|btrfs|zfs|f2fs|tmpfs|ramfs|devtmpfs|devpts|overlay|squashfs|erofs|proc|sysfs|cgroup2?|mqueue|hugetlbfs|bpf|pstore|securityfs|debugfs|tracefs|configfs|fusectl|efivarfs|binfmt_misc|nsfs)$/;

/** A program of our size is dear to start: not where every mount is the machine's own. */
function mayHang(): boolean {
  try {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
    return mounts.some((mount) => !ownKinds.test(mount.split(' - ')[1]?.split(' ')[0] ?? ''));
  } catch {
    return true; // reason: then nobody knows
  }
}

async function answers(path: string, { clock, ms, path: programs, goer }: Asking): Promise<boolean> {
  const hasShell = existsSync(shell);
  if (!hasShell && !mayHang()) return true;
  const [program, ...args] = hasShell ? [shell, '-c', goThere, 'sh'] : (goer ?? []);
  if (program === undefined) return true;
  const limits = { runMs: ms + killMs };
  // Tools of its own for each path: of one, no program runs twice at a time.
  const tools = createHostTools({ clock, hostName: '', path: programs, limits });
  const startedMs = clock.monotonicMs();
  const said = await tools.run(program, [...args, path]);
  // Who ended early without a word could not be started, and says nothing of the path.
  return said !== undefined || clock.monotonicMs() - startedMs < ms;
}
