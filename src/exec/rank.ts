import { legalId } from '../domain/session-identity.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Names that launchers give the number of a process: torchrun and accelerate, Open MPI, SLURM's srun. */
const rankNames = ['RANK', 'OMPI_COMM_WORLD_RANK', 'SLURM_PROCID'];
const sizeNames = ['WORLD_SIZE', 'OMPI_COMM_WORLD_SIZE', 'SLURM_STEP_NUM_TASKS'];

/** Which of several processes of one training this is; 0 for the first and for one that is alone. */
export function rankOf(env: Environment): number {
  return rankNames.map((name) => wholeNumber(env[name])).find((rank) => rank !== undefined && rank > 0) ?? 0;
}

export function hasRank(env: Environment): boolean {
  return rankNames.some((name) => wholeNumber(env[name]) !== undefined);
}

export function hasOtherRanks(env: Environment): boolean {
  return sizeNames.some((name) => (wholeNumber(env[name]) ?? 0) > 1);
}

/**
 * An id that all processes of one launch come to by themselves, and no other launch does. Undefined where the launcher
 * gives them nothing in common. A job that SLURM requeues is another launch.
 */
export function launchId(env: Environment): string | undefined {
  const run = env['TORCHELASTIC_RUN_ID'];
  if (run && run !== 'none') return legalId(`torchrun-${run}`);
  const [job, step] = [env['SLURM_JOB_ID'], env['SLURM_STEP_ID']];
  if (job && step) {
    const restarts = wholeNumber(env['SLURM_RESTART_COUNT']) ?? 0;
    return legalId(`slurm-${job}.${step}${restarts > 0 ? `-r${restarts}` : ''}`);
  }
  const space = env['PMIX_NAMESPACE'];
  return space ? legalId(`mpi-${space}`) : undefined;
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
