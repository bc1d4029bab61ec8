import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFailed, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { onlyLog } from '../support/shipped-folder.ts';
import { type Host, makeHost, run, start, toDirectory, type Variables } from '../support/trainlogd.ts';

const cleanup = { onTestFinished, onTestFailed };
const apiKey = 'rpa_0123456789abcdefghij';

/** A host with two GPUs, as its nvidia-smi says. */
async function gpuHost(more: Variables = {}): Promise<Host & { bucket: string }> {
  const host = await makeHost(cleanup, {}, more);
  const bucket = join(host.base, 'bucket');
  const bin = join(host.base, 'bin');
  mkdirSync(bin);
  const script = '#!/bin/sh\necho "index, name"\necho "0, NVIDIA A40"\necho "1, NVIDIA A40"\n';
  writeFileSync(join(bin, 'nvidia-smi'), script);
  chmodSync(join(bin, 'nvidia-smi'), 0o755);
  const env = { ...host.env, ...toDirectory(bucket), PATH: `${bin}:${host.env['PATH']}` };
  return { ...host, env, bucket };
}

function write({ folder }: Host, path: string, text: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** Everything that reached the destination, the state directory, and the log, as one text. */
function allText(host: Host & { bucket: string }, said: string): string {
  const files = [host.bucket, host.state].flatMap((directory) =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => join(directory, name)),
  );
  const texts = files.filter((path) => statSync(path).isFile()).map((path) => readFileSync(path, 'latin1'));
  return [said, ...texts].join('\n');
}

test('session.env, nvidia-smi and the configuration tell where it ran and what it cost, and no secret leaves', async () => {
  const host = await gpuHost({
    TRAINLOGD_DEFAULTS_COST_PER_HOUR: '2',
    TRAINLOGD_DEFAULTS_CURRENCY: 'EUR',
    TRAINLOGD_COMPANIONS_INCLUDE: '**,session.env',
    TRAINLOGD_COMPANIONS_EXCLUDE: '*.bin',
    RUNPOD_API_KEY: apiKey,
    CUDA_VISIBLE_DEVICES: '0',
  });
  const environment = [
    'RUNPOD_POD_ID=xedezhzb9la3ye',
    'RUNPOD_GPU_NAME=',
    'SLURM_JOB_USER=ada',
    'HF_TOKEN=hf_abcdefghijklmnopqrstuvwxyz',
    'MY_PRIVATE_NOTE=never to be seen',
  ];
  write(host, 'run/session.json', '{"id":"one","startedAt":"2026-01-05T10:00:00Z"}');
  write(host, 'run/session.env', `${environment.join('\n')}\n`);
  write(host, 'run/train.log', 'step 1\n');
  write(host, 'run/result.json', '{"status":"completed","durationSeconds":5400}');
  const planned = await run(cleanup, host, ['plan']);
  expect(planned.stdout).toContain(
    '  ran on: runpod xedezhzb9la3ye (session.env: RUNPOD_POD_ID), 2 × NVIDIA A40 (nvidia-smi), 2 EUR per hour (defaults)\n',
  );
  const drained = await run(cleanup, host, ['drain', '--timeout', '20s']);
  expect(drained.code, drained.stderr).toBe(0);
  const log = await onlyLog(host.bucket);
  expect(log.pod).toEqual({
    id: 'xedezhzb9la3ye',
    provider: 'runpod',
    gpuType: 'NVIDIA A40',
    gpuCount: 2,
    costPerHour: 2,
    currency: 'EUR',
    cost: 3,
  });
  expect(log.provenance).toMatchObject({
    'pod.id': 'session.env: RUNPOD_POD_ID',
    'pod.provider': 'session.env: RUNPOD_POD_ID',
    'pod.gpuType': 'nvidia-smi',
    'pod.gpuCount': 'nvidia-smi',
    'pod.costPerHour': 'defaults',
    'pod.cost': 'computed: hours times price per hour',
  });
  expect(log.companions.map(({ path }) => path)).toEqual(['train.log']);
  expect(log.missing).toEqual([]);
  const said = `${planned.stdout}${planned.stderr}${drained.stderr}`;
  expect(allText(host, said)).not.toMatch(/hf_abcdef|never to be seen|rpa_0123/);
});

test('the environment of the process that session.pid names is remembered when the process is gone', async () => {
  const host = await gpuHost();
  const env = { SLURM_JOB_ID: '5109', SLURM_JOB_USER: 'ada', CUDA_VISIBLE_DEVICES: '0,1', HF_TOKEN: 'never' };
  const agent = start(cleanup, host, ['run'], {
    SLURM_JOB_ID: '1',
    TRAINLOGD_WATCH_SETTLE: '100ms',
    TRAINLOGD_SESSION_LOG_SNAPSHOT_EVERY: '1s',
  });
  await agent.event('daemon.started');
  const trainer = spawn('sleep', ['1000'], { stdio: 'ignore', env: { ...host.env, ...env } });
  onTestFinished(() => void trainer.kill('SIGKILL'));
  await once(trainer, 'spawn');
  write(host, 'run/session.json', '{"id":"one"}');
  write(host, 'run/session.pid', `${trainer.pid}\n`);
  const running = await eventually(() => onlyLog(host.bucket).catch(() => undefined));
  expect(running).toMatchObject({ session: { status: 'running' }, pod: { id: '5109' } });
  await ended(trainer);
  await agent.event('session.shipped', ({ status }) => status === 'interrupted');
  const log = await onlyLog(host.bucket);
  expect(log.pod).toEqual({ id: '5109', provider: 'slurm', gpuType: 'NVIDIA A40', gpuCount: 2 });
  expect(log.user).toEqual({ username: 'ada' });
  expect(log.provenance).toMatchObject({
    'pod.id': 'process: SLURM_JOB_ID',
    'pod.gpuCount': 'process: CUDA_VISIBLE_DEVICES',
    'user.username': 'process: SLURM_JOB_USER',
  });
  const { stderr } = await agent.stop();
  expect(allText(host, stderr)).not.toContain('never');
});

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
