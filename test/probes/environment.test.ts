import { describe, expect, test } from 'vitest';
import type { Variables } from '../../src/probes/probe.ts';
import { probedVariables, probeRegistry } from '../../src/probes/registry.ts';
import { slurmStartedAtMs } from '../../src/probes/slurm.ts';

function probe(name: string, environment: Variables) {
  const found = probeRegistry.environment.find((one) => one.name === name);
  if (!found) throw new Error(`no probe ${name}`);
  return found.probe(environment);
}

describe('RunPod', () => {
  test('tells pod, GPUs and their number, the name decoded', () => {
    const environment = {
      RUNPOD_POD_ID: 'xedezhzb9la3ye',
      RUNPOD_GPU_NAME: 'NVIDIA+A40',
      RUNPOD_GPU_COUNT: '2',
    };
    expect(probe('RunPod', environment)).toEqual({
      facts: { pod: { id: 'xedezhzb9la3ye', provider: 'runpod', gpuType: 'NVIDIA A40', gpuCount: 2 } },
      provenance: {
        'pod.id': 'RUNPOD_POD_ID',
        'pod.provider': 'RUNPOD_POD_ID',
        'pod.gpuType': 'RUNPOD_GPU_NAME',
        'pod.gpuCount': 'RUNPOD_GPU_COUNT',
      },
    });
  });

  test.each([
    ['NVIDIA%20RTX%204090', 'NVIDIA RTX 4090'],
    ['100%+A40', '100% A40'],
    ['', undefined],
    ['a%00b', undefined],
    ['A40\n', 'A40'],
    ['A'.repeat(257), undefined],
  ])('reads %j as %j', (name, expected) => {
    const found = probe('RunPod', { RUNPOD_POD_ID: 'p', RUNPOD_GPU_NAME: name });
    expect(found?.facts.pod?.gpuType).toBe(expected);
  });

  test.each(['', ' ', 'p\u0000', 'x'.repeat(100_000)])('a pod id %j is none', (id) => {
    expect(probe('RunPod', { RUNPOD_POD_ID: id, RUNPOD_GPU_COUNT: '8' })).toBeUndefined();
  });

  test.each(['0', '-1', '1.5', '1e3', '12345', 'two', ''])('%j is no number of GPUs', (count) => {
    const found = probe('RunPod', { RUNPOD_POD_ID: 'p', RUNPOD_GPU_COUNT: count });
    expect(found?.facts.pod).toEqual({ id: 'p', provider: 'runpod' });
  });
});

describe('Vast.ai', () => {
  test.each<[Variables, string | undefined, string | undefined]>([
    [{ VAST_CONTAINERLABEL: 'C.38250' }, '38250', 'VAST_CONTAINERLABEL'],
    [{ VAST_CONTAINERLABEL: 'mine', CONTAINER_ID: '38251' }, '38251', 'CONTAINER_ID'],
    [{ VAST_CONTAINERLABEL: 'mine', CONTAINER_ID: '../1' }, undefined, undefined],
    [{ CONTAINER_ID: '38251' }, undefined, undefined],
    [{ VAST_CONTAINERLABEL: '', CONTAINER_ID: '38251' }, undefined, undefined],
  ])('of %j tells the id %j by %j', (environment, id, by) => {
    const found = probe('Vast.ai', environment);
    expect(found?.facts.pod).toEqual(id && { id, provider: 'vast.ai' });
    expect(found?.provenance['pod.id']).toBe(by);
  });
});

describe('Kubernetes', () => {
  test.each<[Variables, object | undefined]>([
    [
      { POD_NAME: 'train-0', POD_NAMESPACE: 'ml' },
      { id: 'ml/train-0', provider: 'kubernetes' },
    ],
    [
      { MY_POD_NAME: 'train-0', KUBERNETES_SERVICE_HOST: '10.0.0.1' },
      { id: 'train-0', provider: 'kubernetes' },
    ],
    [{ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, { provider: 'kubernetes' }],
    [{ POD_NAME: 'train-0' }, undefined],
    [{ POD_NAME: '', POD_NAMESPACE: '' }, undefined],
  ])('of %j tells %j', (environment, pod) => {
    expect(probe('Kubernetes', environment)?.facts.pod).toEqual(pod);
  });
});

describe('SLURM', () => {
  test('tells job, user and the GPUs of the job', () => {
    const environment = {
      SLURM_JOB_ID: '5109',
      SLURM_JOB_USER: 'ada',
      SLURM_GPUS_ON_NODE: '4',
      SLURM_JOB_NUM_NODES: '1',
    };
    expect(probe('SLURM', environment)).toEqual({
      facts: { pod: { id: '5109', provider: 'slurm', gpuCount: 4 }, user: { username: 'ada' } },
      provenance: {
        'pod.id': 'SLURM_JOB_ID',
        'pod.provider': 'SLURM_JOB_ID',
        'pod.gpuCount': 'SLURM_GPUS_ON_NODE',
        'user.username': 'SLURM_JOB_USER',
      },
    });
  });

  test.each<[string, Variables, number | undefined]>([
    ['indexes of one node', { SLURM_JOB_GPUS: '0,2,3' }, 3],
    ['one index, which is no number of GPUs', { SLURM_JOB_GPUS: '2' }, 1],
    [
      'all GPUs of several nodes',
      { SLURM_GPUS: '16', SLURM_GPUS_ON_NODE: '8', SLURM_JOB_NUM_NODES: '2' },
      16,
    ],
    [
      'one of several nodes',
      { SLURM_GPUS_ON_NODE: '8', SLURM_JOB_GPUS: '0,1', SLURM_JOB_NUM_NODES: '2' },
      undefined,
    ],
    ['kinds of GPUs', { SLURM_GPUS: 'a100:4', SLURM_GPUS_ON_NODE: '4' }, 4],
  ])('of %s', (_, environment, gpuCount) => {
    expect(probe('SLURM', { SLURM_JOB_ID: '1', ...environment })?.facts.pod?.gpuCount).toBe(gpuCount);
  });

  test('without a job id there is no job', () => {
    expect(probe('SLURM', { SLURM_JOB_USER: 'ada', SLURM_GPUS: '8' })).toBeUndefined();
    expect(probe('SLURM', { SLURM_JOB_ID: '$(id)', SLURM_JOB_USER: 'ada' })).toBeUndefined();
    expect(slurmStartedAtMs({ SLURM_JOB_START_TIME: '1767607200' })).toBeUndefined();
  });

  test('the start of the job is in seconds', () => {
    expect(slurmStartedAtMs({ SLURM_JOB_ID: '1', SLURM_JOB_START_TIME: '1767607200' })).toBe(
      1_767_607_200_000,
    );
    expect(slurmStartedAtMs({ SLURM_JOB_ID: '1', SLURM_JOB_START_TIME: 'soon' })).toBeUndefined();
  });
});

describe('CUDA_VISIBLE_DEVICES', () => {
  test.each<[string, number | undefined]>([
    ['0', 1],
    ['0,1,2,3', 4],
    [' 0, 1', 2],
    ['0,-1,1', 1],
    ['0,0', 1],
    ['GPU-8f7c1f2e-1a2b-3c4d-5e6f-001122334455,GPU-1', 2],
    ['MIG-8f7c1f2e-1a2b-3c4d-5e6f-001122334455', 1],
    ['MIG-GPU-8f7c/1/0', 1],
    ['', undefined],
    ['-1', undefined],
    ['NoDevFiles', undefined],
    ['all', undefined],
    ['0,'.repeat(1_000_000), undefined],
    [Array.from({ length: 5000 }, (_, at) => at).join(','), undefined],
  ])('lists %.40j: %j', (CUDA_VISIBLE_DEVICES, gpuCount) => {
    expect(probe('CUDA', { CUDA_VISIBLE_DEVICES })?.facts.pod?.gpuCount).toBe(gpuCount);
  });

  test.each(['SLURM_NTASKS', 'SLURM_JOB_NUM_NODES'])('says nothing of a session with %s', (name) => {
    expect(probe('CUDA', { CUDA_VISIBLE_DEVICES: '0', [name]: '1' })?.facts.pod?.gpuCount).toBe(1);
    expect(probe('CUDA', { CUDA_VISIBLE_DEVICES: '0', [name]: '4' })).toBeUndefined();
  });
});

test('no probe looks at a variable that is a secret, and none at one that it does not name', () => {
  for (const name of probedVariables) expect(name).not.toMatch(/KEY|TOKEN|SECRET|PASS|CRED/);
  for (const one of probeRegistry.environment) {
    const asked = new Set<string>();
    const environment = new Proxy<Record<string, string>>(
      {},
      {
        getOwnPropertyDescriptor: (_, name) => {
          asked.add(String(name));
          return { value: 'C.1', configurable: true, enumerable: true };
        },
        get: () => '7',
      },
    );
    one.probe(environment);
    expect(one.variables).toEqual(expect.arrayContaining([...asked]));
  }
});

test('what is inherited is no variable', () => {
  for (const one of probeRegistry.environment) {
    const inherited = Object.create(Object.fromEntries([...probedVariables].map((name) => [name, '7'])));
    expect(one.probe(inherited)).toBeUndefined();
  }
});
