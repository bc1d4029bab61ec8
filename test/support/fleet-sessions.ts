import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionStatus } from '../../src/domain/session-log.ts';

/** What a dropped session must be in the table. */
export interface FleetSession {
  readonly name: string;
  readonly status: SessionStatus;
  readonly user?: string;
  /** `2026-03`; absent where only the files tell when it began. */
  readonly month?: string;
  readonly hours?: number;
  readonly cost?: number;
  readonly missing?: string;
}

/** Larger files are not shipped from where these sessions lie. */
export const companionBytesMax = 4096;
/** Optimizer steps that a run with a pace makes in an hour, on a host that does nothing else. */
export const stepsPerHour = 3600;

/** One session of the shape that its number draws, written as its trainer would. */
export async function dropSession(
  folder: string,
  host: string,
  number: number,
  pace: number,
): Promise<FleetSession> {
  const shape = shapes[number % shapes.length] ?? priced;
  const name = `${host}-${String(number).padStart(4, '0')}`;
  const { files, ...expected } = shape(number, pace);
  await mkdir(join(folder, name), { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, name, file), text);
  return { name, ...expected };
}

type Shape = (number: number, pace: number) => Omit<FleetSession, 'name'> & { files: Record<string, string> };

const monthOf = (number: number) => `2026-0${1 + (Math.floor(number / shapes.length) % 6)}`;
const pod = { gpuType: 'NVIDIA H100', gpuCount: 8, costPerHour: 20, currency: 'EUR', provider: 'own' };
const begun = (number: number, more: object) =>
  JSON.stringify({ startedAt: `${monthOf(number)}-15T23:30:00Z`, ...more });

const priced: Shape = (number) => {
  const user = ['ada', 'grace', 'O\'Brien "π"'][number % 3] ?? 'ada';
  const hours = 1 + (number % 4);
  return {
    status: 'completed',
    user,
    month: monthOf(number),
    hours,
    cost: hours * pod.costPerHour,
    files: {
      'session.json': begun(number, { user: { username: user }, pod, config: { epochs: 3 } }),
      'result.json': JSON.stringify({ status: 'completed', durationSeconds: hours * 3600 }),
    },
  };
};

const failed: Shape = (number) => ({
  status: 'failed',
  user: 'ada',
  month: monthOf(number),
  hours: 0.5,
  files: {
    'session.json': begun(number, { user: { username: 'ada' } }),
    'stdout.log': 'step 1\n',
    'result.json': JSON.stringify({
      status: 'failed',
      durationSeconds: 1800,
      error: 'Traceback:\n  "x"\nOutOfMemory: \u2028 CUDA',
    }),
  },
});

/** A run of Hugging Face's Trainer: steps, history, NaN. */
const paced: Shape = (number, pace) => {
  const steps = Math.round(stepsPerHour * pace);
  const history = [
    { epoch: 1, learning_rate: 2e-5, loss: Number.NaN, step: 10 },
    { epoch: 2, learning_rate: 0, loss: 0.25, step: steps },
  ];
  const state = JSON.stringify({ epoch: 2, global_step: steps, max_steps: steps, log_history: history });
  const config = { model: 'llama', dataset: 'wiki', batchSize: 8 };
  return {
    status: 'completed',
    month: monthOf(number),
    hours: 1,
    files: {
      'session.json': begun(number, { pod: { gpuType: 'NVIDIA H100', gpuCount: 8 }, config }),
      'trainer_state.json': state.replace('"loss":null', '"loss":NaN'),
      'result.json': JSON.stringify({ status: 'completed', durationSeconds: 3600 }),
    },
  };
};

/** Free maps as people write them: names that differ in capitals alone, nested, of every kind. */
const odd: Shape = (number) => ({
  status: 'cancelled',
  user: 'grace',
  month: monthOf(number),
  hours: 0.25,
  files: {
    'session.json': begun(number, {
      user: { username: 'grace' },
      config: { lr: 1, LR: 2, '': {}, 'a.b': [1, 'x', null, { c: 1e300 }], seed: -7 },
    }),
    'result.json': JSON.stringify({
      status: 'cancelled',
      durationSeconds: 900,
      metrics: { Loss: 1, loss: 'x', deep: { r: [[]] } },
    }),
  },
});

const marked: Shape = () => ({ status: 'failed', files: { 'train.log': 'CUDA error\n', _FAILED: '' } });

const silent: Shape = () => ({ status: 'interrupted', files: { 'stdout.log': 'step 1\n' } });

const incomplete: Shape = (number) => ({
  status: 'completed',
  month: monthOf(number),
  hours: 0.25,
  missing: 'dump.csv',
  files: {
    'session.json': begun(number, {}),
    'dump.csv': 'x'.repeat(companionBytesMax + 1),
    'result.json': JSON.stringify({ status: 'completed', durationSeconds: 900 }),
  },
});

const shapes = [priced, failed, paced, odd, priced, marked, silent, incomplete];
