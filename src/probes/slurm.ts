import { isMany, listedDevices } from './cuda.ts';
import { type EnvironmentProbe, finding, type Variables } from './probe.ts';
import { gpuCountOf, textOf, told, variable } from './values.ts';

/** A job of SLURM; variables of sbatch(1), srun(1), and those that slurmd adds. */
export const slurmProbe: EnvironmentProbe = {
  name: 'SLURM',
  variables: [
    'SLURM_JOB_ID',
    'SLURM_JOB_USER',
    'SLURM_JOB_START_TIME',
    'SLURM_GPUS',
    'SLURM_GPUS_ON_NODE',
    'SLURM_JOB_GPUS',
    'SLURM_JOB_NUM_NODES',
  ],
  scope: 'process',

  probe(environment) {
    const id = jobId(environment);
    if (id === undefined) return undefined;
    return finding({
      'pod.id': told(id, 'SLURM_JOB_ID'),
      'pod.provider': told('slurm', 'SLURM_JOB_ID'),
      'pod.gpuCount': gpusOf(environment),
      'user.username': textOf(environment, 'SLURM_JOB_USER'),
    });
  },
};

/** When the job began, in wall-clock milliseconds; undefined outside a job and where SLURM does not say. */
export function slurmStartedAtMs(environment: Variables): number | undefined {
  const seconds = /^[1-9]\d{8,10}$/.exec(variable(environment, 'SLURM_JOB_START_TIME')?.trim() ?? '')?.[0];
  return seconds === undefined || jobId(environment) === undefined ? undefined : Number(seconds) * 1000;
}

function jobId(environment: Variables): string | undefined {
  return /^\d{1,20}(?:_\d{1,10})?$/.exec(variable(environment, 'SLURM_JOB_ID')?.trim() ?? '')?.[0];
}

/** Of the whole job. What SLURM says of one node is that only where the job has no other. */
function gpusOf(environment: Variables) {
  const all = gpuCountOf(environment, 'SLURM_GPUS');
  if (all !== undefined || isMany(environment, 'SLURM_JOB_NUM_NODES')) return all;
  const list = told(listedDevices(variable(environment, 'SLURM_JOB_GPUS')), 'SLURM_JOB_GPUS');
  return gpuCountOf(environment, 'SLURM_GPUS_ON_NODE') ?? list;
}
