import { type EnvironmentProbe, finding, type Variables } from './probe.ts';
import { told, variable } from './values.ts';

/**
 * How many GPUs a process may use, from the list that CUDA itself goes by (CUDA C++ Programming Guide, "CUDA Environment
 * Variables"): indexes, or the beginnings of UUIDs; at the first entry that is none the list ends.
 */
export const cudaProbe: EnvironmentProbe = {
  name: 'CUDA',
  variables: ['CUDA_VISIBLE_DEVICES', 'SLURM_JOB_NUM_NODES', 'SLURM_NTASKS'],
  scope: 'process',

  probe(environment) {
    // Then it is the share of one task, not of the session.
    if (isMany(environment, 'SLURM_JOB_NUM_NODES') || isMany(environment, 'SLURM_NTASKS')) return undefined;
    const count = listedDevices(variable(environment, 'CUDA_VISIBLE_DEVICES'));
    return finding({ 'pod.gpuCount': told(count, 'CUDA_VISIBLE_DEVICES') });
  },
};

const charactersMax = 16 * 1024;
const devicesMax = 1024;
const device = /^(?:\d{1,4}|(?:MIG-)?GPU-[0-9A-Fa-f/-]{1,64}|MIG-[0-9A-Fa-f-]{1,64})$/;

/** Undefined where none is listed: a training that no GPU is visible to says nothing about GPUs. */
export function listedDevices(list: string | undefined): number | undefined {
  if (list === undefined || list.length > charactersMax) return undefined;
  const devices = new Set<string>();
  for (const entry of list.split(',', devicesMax)) {
    const name = entry.trim();
    if (!device.test(name)) break;
    devices.add(name);
  }
  return devices.size === 0 ? undefined : devices.size;
}

export function isMany(environment: Variables, name: string): boolean {
  return Number(variable(environment, name)) > 1;
}
