import { expect, test } from 'vitest';
import { sessionDocument } from '../../src/exec/session-document.ts';

const facts = {
  command: ['python', 'train.py'],
  cwd: '/w',
  host: 'h',
  env: {},
  git: undefined,
  version: '1',
};

test('says who, what and where', () => {
  const git = { commit: 'a'.repeat(40), dirty: true };
  expect(sessionDocument('x', '2026-01-31T00:00:00Z', 'ada', { ...facts, git })).toEqual({
    id: 'x',
    startedAt: '2026-01-31T00:00:00Z',
    user: { username: 'ada', sessionStartedAt: '2026-01-31T00:00:00Z' },
    exec: { command: ['python', 'train.py'], cwd: '/w', host: 'h', environment: {}, git, trainlogd: '1' },
  });
});

test('of the environment only what makes a training what it is, in order, without secrets', () => {
  const env = {
    WORLD_SIZE: '8',
    CUDA_VISIBLE_DEVICES: '0,1',
    WANDB_API_KEY: 'a'.repeat(40),
    AWS_SECRET_ACCESS_KEY: 'k',
    DATABASE_URL: 'postgres://u:p@h/d',
    PATH: '/bin',
    HOME: '/home/ada',
  };
  const { exec } = sessionDocument('x', '2026-01-31T00:00:00Z', undefined, { ...facts, env });
  expect(exec).toMatchObject({
    environment: { CUDA_VISIBLE_DEVICES: '0,1', WANDB_API_KEY: '[redacted]', WORLD_SIZE: '8' },
  });
  expect(Object.keys((exec as { environment: object }).environment)).toHaveLength(3);
});

test('is bounded, whatever it is given', () => {
  const command = Array.from({ length: 5000 }, () => 'y '.repeat(5000));
  const env = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`NCCL_${at}`, 'z '.repeat(5000)]));
  const text = JSON.stringify(
    sessionDocument('x', '2026-01-31T00:00:00Z', 'ada', { ...facts, command, env }),
  );
  expect(text.length).toBeLessThan(600_000);
  expect(text).toContain('… and 4800 more');
});
