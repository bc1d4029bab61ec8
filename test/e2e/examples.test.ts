import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { readJson, readText, startProgram } from '../support/exec.ts';
import { trainlogdWords } from '../support/program.ts';
import { onlyLog } from '../support/shipped-folder.ts';
import { type Cleanup, type Host, makeHost, run, toDirectory } from '../support/trainlogd.ts';

const project = join(import.meta.dirname, '..', '..');
const example = (name: string) => join(project, 'examples', name);
const quick = { TRAINLOGD_WATCH_SETTLE: '50ms' };

describe.concurrent('examples', { timeout: 120_000 }, () => {
  test('a Hugging Face training with the callback is a completed session', async (context) => {
    const { host, destination } = await place(context);
    const code = `train(TrainlogdCallback(), 'training-output/run')`;
    const ended = python(context, host, 'transformers', 'train', 'hugging_face_callback', code);
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect((await run(context, host, ['drain'])).code).toBe(0);
    const log = await onlyLog(destination);
    expect(log).toMatchObject({
      session: { status: 'completed', sealedBy: 'result.json' },
      config: { epochs: 3, batchSize: 8, learningRate: 2e-5, seed: 42 },
      results: { metrics: { train_loss: 0.5, step: 2 } },
      missing: [],
    });
  });

  test('one that fails says nothing of an end, and goes on as the same session', async (context) => {
    const { host } = await place(context);
    const directory = join(host.folder, 'run');
    const train = (more: string) => {
      const code = `train(TrainlogdCallback(), 'training-output/run'${more})`;
      return python(context, host, 'transformers', 'train', 'hugging_face_callback', code);
    };
    expect(train(', fails=True').status).toBe(1);
    expect(readdirSync(directory).sort()).toEqual(['session.json', 'session.pid']);
    const before = readText(directory, 'session.json');
    expect(train('').status).toBe(0);
    expect(train('').status).toBe(0);
    expect(readText(directory, 'session.json')).toBe(before);
    expect(readdirSync(directory).sort()).toEqual([
      'result.json',
      'result.previous.json',
      'session.json',
      'session.pid',
    ]);
  });

  test('of several Hugging Face processes only the first writes', async (context) => {
    const { host } = await place(context);
    const code = `train(TrainlogdCallback(), 'training-output/run', is_world_process_zero=False)`;
    const ended = python(context, host, 'transformers', 'train', 'hugging_face_callback', code);
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(host.folder)).toEqual([]);
  });

  test.for([
    { error: 'None', status: 'completed' },
    {
      error: "RuntimeError('CUDA out of memory')",
      status: 'failed',
      says: 'RuntimeError: CUDA out of memory',
    },
    { error: 'KeyboardInterrupt()', status: 'cancelled', says: 'KeyboardInterrupt: ' },
  ])(
    'a Lightning training that ends by $error is $status',
    async ({ error, status, says = null }, context) => {
      const { host } = await place(context);
      const code = `fit(TrainlogdCallback(), 'training-output/run', ${error})`;
      python(context, host, 'lightning.pytorch', 'fit', 'lightning_callback', code);
      const directory = join(host.folder, 'run');
      expect(readJson(directory, 'session.json')).toMatchObject({
        config: { epochs: 3, learningRate: 0.001 },
      });
      const result = readJson(directory, 'result.json');
      expect(result).toMatchObject({ status, error: says, metrics: { val_loss: 0.25 } });
    },
  );

  test.for([
    { command: ['true'], code: 0, status: 'completed' },
    { command: ['sh', '-c', 'echo hi; exit 3'], code: 3, status: 'failed' },
  ])('the bash trap makes a $status session of $command', async ({ command, code, status }, context) => {
    const { host, destination } = await place(context);
    const ended = spawnSync('bash', [example('bash-trap.sh'), host.folder, ...command], { encoding: 'utf8' });
    expect(ended).toMatchObject({ status: code, stderr: '' });
    expect((await run(context, host, ['drain'])).code).toBe(0);
    expect(await onlyLog(destination)).toMatchObject({ session: { status }, missing: [], warnings: [] });
  });

  test('the bash trap that is told to stop stops its training, and says so', async (context) => {
    const { host } = await place(context);
    const command = ['bash', '-c', 'echo $$; exec sleep 600'];
    const running = startProgram(context, host, ['bash', example('bash-trap.sh'), host.folder, ...command]);
    const log = () => join(host.folder, readdirSync(host.folder)[0] ?? '', 'stdout.log');
    const pid = await eventually(() => Number(readFileSync(log(), 'utf8')) || undefined);
    running.child.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ code: 143 });
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    expect(readJson(log(), '..', 'result.json')['status']).toBe('cancelled');
  });

  test('the SLURM job is one session of all its nodes', async (context) => {
    const { host, destination } = await place(context);
    const bin = join(host.base, 'bin');
    mkdirSync(bin);
    const programs = {
      // Each task as a step has them; the first one last, as it may well end last.
      srun: 'for task in 1 0; do SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=2 SLURM_PROCID=$task "$@" || exit; done',
      scontrol: 'printf "node-a\\nnode-b\\n"',
      torchrun: 'echo "torchrun $*"',
      trainlogd: `exec ${trainlogdWords} "$@"`,
    };
    for (const [name, script] of Object.entries(programs)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    const job = {
      SLURM_SUBMIT_DIR: host.base,
      SLURM_JOB_ID: '77',
      SLURM_NNODES: '2',
      SLURM_JOB_NODELIST: 'node-[a-b]',
    };
    const env = { ...job, PATH: `${bin}:${host.env['PATH'] ?? ''}` };
    const job77 = startProgram(
      context,
      host,
      ['bash', example('slurm.sbatch'), 'train.py', '--epochs', '3'],
      env,
    );
    const { code, stderr } = await job77.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const log = await onlyLog(destination);
    expect(log.session).toMatchObject({ id: 'slurm-77-0', status: 'completed' });
    expect(log.companions.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['ranks/1.log', 'stdout.log']),
    );
    const said =
      'torchrun --nnodes=2 --nproc-per-node=gpu --rdzv-backend=c10d --rdzv-endpoint=node-a:29500 --rdzv-id=77 train.py --epochs 3\n';
    expect(readText(host.folder, 'slurm-77-0', 'stdout.log')).toBe(said);
  });
});

async function place(context: Cleanup) {
  const host = await makeHost(context, {}, quick);
  const destination = join(host.base, 'destination');
  return { host: { ...host, env: { ...host.env, ...toDirectory(destination) } }, destination };
}

/** Runs a callback below a stand-in for its framework: test/fixtures/python has what the callback sees of it. */
function python(
  context: { skip(is: boolean, note: string): void },
  host: Host,
  framework: string,
  name: string,
  callback: string,
  code: string,
) {
  const imports = `from ${framework} import ${name}\nfrom ${callback} import TrainlogdCallback\n`;
  const path = [join(project, 'examples'), join(project, 'test', 'fixtures', 'python')].join(':');
  const ended = spawnSync('python3', ['-c', imports + code], {
    cwd: host.base,
    env: { ...host.env, PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: '1' },
    encoding: 'utf8',
  });
  context.skip(ended.error !== undefined, 'python3 is not there');
  return ended;
}
