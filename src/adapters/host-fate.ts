import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, readlink, stat } from 'node:fs/promises';
import type { HostFate } from '../ports/host-fate.ts';
import { kubernetesProbe } from '../probes/kubernetes.ts';
import type { EnvironmentProbe } from '../probes/probe.ts';
import { slurmProbe } from '../probes/slurm.ts';

export interface HostFateOptions {
  /** Our own. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Does what is watched go with the pod? */
  readonly isEmptyDir: () => Promise<boolean>;
  /** Tests have their own. */
  readonly program?: string;
  readonly bootedWith?: string;
  readonly namespaces?: string;
  readonly cgroup?: string;
}

/** What a machine boots with, in every kernel: PROC_PID_INIT_INO, PROC_UTS_INIT_INO. */
const nodeProcesses = 'pid:[4026531836]';
const nodeName = 'uts:[4026531838]';
const askMsMax = 2_000;
const answerMax = 64;

/** `/slurm/uid_1000/job_7/step_batch`, `/system.slice/node1_slurmstepd.scope/job_7/step_0/user/task_0`. */
const slurmJob = /slurm[^\n/]*(?:\/[^\n/]+)?\/job_\d+(?:\/|$)/m;
/** Where jobs have no groups of their own: slurmd's service, as far as that is the work of systemd. */
const slurmDaemon = /\/[^\n/]*slurm[^\n/]*(?:\/|$)/m;

/**
 * A host is going when the manager of its system says so; a pod when a signal reaches us in it. It is not asked of systemd
 * in a pod. What sees the processes of its node (hostPID), or has its name (hostNetwork) and watches what outlives the pod,
 * is taken for the node's own agent: what ends it is mostly its upgrade. A job of SLURM ends whatever its control group
 * holds, seconds after the signal; its variables alone are inherited by what outlives it, too.
 */
export function createHostFate(options: HostFateOptions): HostFate {
  const { env, program = 'systemctl', bootedWith = '/run/systemd/system' } = options;
  return {
    async goingBecause() {
      if (isWhere(kubernetesProbe, env)) return (await isOfNode(options)) ? undefined : 'the pod is going';
      if (await isOfJob(options)) return 'the SLURM job is going';
      // As sd_booted(3) tells whether systemd is the manager here.
      if (!(await isDirectory(bootedWith))) return undefined;
      const state = await stateBy(program, env['PATH'] ?? '/usr/bin:/bin');
      return state.trim() === 'stopping' ? 'the system is stopping' : undefined;
    },
  };
}

async function isOfNode({ namespaces = '/proc/self/ns', isEmptyDir }: HostFateOptions): Promise<boolean> {
  if ((await linkOf(`${namespaces}/pid`)) === nodeProcesses) return true;
  return (await linkOf(`${namespaces}/uts`)) === nodeName && !(await isEmptyDir());
}

async function isOfJob({ env, cgroup = '/proc/self/cgroup' }: HostFateOptions): Promise<boolean> {
  const groups = await textOf(cgroup);
  return slurmJob.test(groups) || (isWhere(slurmProbe, env) && slurmDaemon.test(groups));
}

function isWhere(probe: EnvironmentProbe, env: HostFateOptions['env']): boolean {
  const named = probe.variables.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return probe.probe(Object.fromEntries(named)) !== undefined;
}

/** Its exit code is no failure: it is 1 in every state but `running`. Empty where nobody answers in time. */
function stateBy(program: string, path: string): Promise<string> {
  return new Promise((resolve) => {
    let child: ChildProcess;
    try {
      child = spawn(program, ['is-system-running'], {
        env: { PATH: path, LC_ALL: 'C.UTF-8' },
        stdio: ['ignore', 'pipe', 'ignore'],
        timeout: askMsMax,
        killSignal: 'SIGKILL',
      });
    } catch {
      return resolve(''); // reason: no memory for a process now; who cannot be asked has not said that it goes
    }
    let said = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(0, answerMax);
    });
    child.once('error', () => resolve(''));
    child.once('close', () => resolve(said));
  });
}

async function linkOf(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch {
    return undefined; // reason: without /proc no other process is in view either
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return ''; // reason: a kernel without control groups, which says nothing
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false; // reason: no systemd, which says nothing
  }
}
