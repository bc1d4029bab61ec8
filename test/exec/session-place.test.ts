import { describe, expect, test } from 'vitest';
import { launchId, rankOf } from '../../src/exec/rank.ts';
import { type PlaceInputs, placeOf } from '../../src/exec/session-place.ts';

const startedAtMs = Date.UTC(2026, 0, 31, 12, 0, 0);
const place = (inputs: Partial<PlaceInputs>) =>
  placeOf({
    env: {},
    command: ['python', 'train.py'],
    directory: undefined,
    id: undefined,
    startedAtMs,
    chance: '0a1b2c',
    ...inputs,
  });

describe('placeOf()', () => {
  test.each([
    [['python', 'train.py', '--lr', '1'], 'train-20260131T120000Z-0a1b2c'],
    [
      ['torchrun', '--nproc-per-node', '8', 'src/finetune.py', 'conf.yaml'],
      'finetune-20260131T120000Z-0a1b2c',
    ],
    [['/usr/bin/axolotl', 'train', 'x.yml'], 'axolotl-20260131T120000Z-0a1b2c'],
    [['./träin loop.sh'], 'tr-in-loop-20260131T120000Z-0a1b2c'],
    [['…'], '20260131T120000Z-0a1b2c'],
  ])('names the session of %j %s', (command, id) => {
    expect(place({ command })).toEqual({ kind: 'session', directory: undefined, id });
  });

  test('takes directory and id as they are given', () => {
    expect(place({ directory: 'out', id: 'x' })).toEqual({ kind: 'session', directory: 'out', id: 'x' });
  });

  test.each([
    ['--dir', { directory: 'out' }, { directory: 'out', id: undefined }],
    ['--id', { id: 'x' }, { directory: undefined, id: 'x' }],
    ['the session around it', { env: { TRAINLOGD_SESSION_DIR: '/s' } }, { directory: '/s', id: undefined }],
    [
      'what the launch has in common',
      { env: { TORCHELASTIC_RUN_ID: 'r7' } },
      { directory: undefined, id: 'torchrun-r7' },
    ],
  ])('finds the place of another process by %s', (_, inputs, found) => {
    const env = { ...('env' in inputs && inputs.env), RANK: '3' };
    expect(place({ ...inputs, env })).toEqual({ kind: 'part', rank: 3, ...found });
  });

  test('says when a process has nothing in common with the first', () => {
    expect(place({ env: { RANK: '1', WORLD_SIZE: '2' } })).toEqual({ kind: 'nowhere', rank: 1 });
  });

  test('the first process of a launch comes to the same id as the others', () => {
    const env = { SLURM_JOB_ID: '77', SLURM_STEP_ID: '0', SLURM_STEP_NUM_TASKS: '2', SLURM_PROCID: '0' };
    expect(place({ env })).toMatchObject({ kind: 'session', id: 'slurm-77.0' });
    expect(place({ env: { ...env, SLURM_PROCID: '1' } })).toMatchObject({ kind: 'part', id: 'slurm-77.0' });
  });

  test('within a session, a launcher’s first process is a part too, another command is a session of its own', () => {
    const env = { TRAINLOGD_SESSION_DIR: '/s' };
    expect(place({ env: { ...env, RANK: '0' } })).toMatchObject({ kind: 'part', directory: '/s', rank: 0 });
    expect(place({ env })).toMatchObject({ kind: 'session', directory: undefined });
  });
});

test.each([
  [{}, 0],
  [{ RANK: '0', SLURM_PROCID: '0' }, 0],
  [{ SLURM_PROCID: '2' }, 2],
  [{ RANK: '8', SLURM_PROCID: '1' }, 8],
  [{ SLURM_PROCID: '0', OMPI_COMM_WORLD_RANK: '3' }, 3],
  [{ RANK: '-1' }, 0],
  [{ RANK: '../../x' }, 0],
])('rankOf(%j) is %i', (env, rank) => {
  expect(rankOf(env)).toBe(rank);
});

test.each([
  [{ TORCHELASTIC_RUN_ID: 'none' }, undefined],
  [{ SLURM_JOB_ID: '7' }, undefined],
  [{ SLURM_JOB_ID: '7', SLURM_STEP_ID: '1', SLURM_RESTART_COUNT: '2' }, 'slurm-7.1-r2'],
  [{ PMIX_NAMESPACE: 'prterun-host-1@1' }, 'mpi-prterun-host-1-1'],
])('launchId(%j) is %s', (env, id) => {
  expect(launchId(env)).toBe(id);
});
