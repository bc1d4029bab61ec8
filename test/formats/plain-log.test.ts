import { describe, expect, test } from 'vitest';
import { plainLogReader } from '../../src/formats/plain-log.ts';
import { type RunFile, readRun } from '../support/read-run.ts';
import { obeysReaderLaws } from '../support/reader-laws.ts';
import { hasSamples, sample, sampleNames } from '../support/real-samples.ts';
import { directoryOf } from '../support/run-directory.ts';

const now = 1_750_000_000_000;
const minute = 60_000;

function log(text: string | readonly string[], path = 'train.log', modifiedAtMs = now): RunFile {
  return { path, bytes: Buffer.from(typeof text === 'string' ? text : `${text.join('\n')}\n`), modifiedAtMs };
}

function read(...files: RunFile[]) {
  return readRun(plainLogReader, files);
}

const curve = ['iter 0: loss 4.5, time 900.25ms, mfu -100.00%', 'iter 10: loss 3.5, time 20.5ms, mfu 12.50%'];
const traceback = [
  'Traceback (most recent call last):',
  '  File "/src/train.py", line 12, in <module>',
  '    main()',
  '  File "/src/train.py", line 8, in main',
  '    loss.backward()',
  'RuntimeError: element 0 of tensors does not require grad',
];

const runs = {
  nanogpt: [log(['step 0: train loss 4.5, val loss 4.625', ...curve, ...traceback])],
  bars: [
    log(
      '\rEpoch 1/3:   0%|          | 0/9 [00:00<?, ?it/s]\rEpoch 1/3:  44%|####      | 4/9 [00:01<00:01, 4.0it/s]\n' +
        '\u001b[32mEpoch 1/3\u001b[0m Train Loss: 1.5 | Val Loss: 1.25\r\nEpoch 2/3 Train Loss: 1.25 | Val Loss: nan\r\n',
      'logs/rank_0.log',
    ),
    log(
      ['[rank1]: step 5 loss=9.5', 'srun: error: node7: task 3: Exited with exit code 9'],
      'logs/rank_1.log',
    ),
  ],
};

obeysReaderLaws(plainLogReader, runs);

describe('a curve is read from', () => {
  test.each<[string, string[], [string[], ...unknown[]]]>([
    [
      'nanoGPT',
      ['step 0: train loss 4.5, val loss 4.625', ...curve],
      [
        ['step', 'loss', 'train_loss', 'val_loss', 'time_ms', 'mfu'],
        [0, 4.5, 4.5, 4.625, 900.25, -100],
        [10, 3.5, null, null, 20.5, 12.5],
      ],
    ],
    [
      'build-nanogpt',
      ['0 val 9.5', '0 hella 0.25', '0 train 9.75', '1 train 9.25'],
      [
        ['step', 'loss', 'val_loss', 'hella'],
        [0, 9.75, 9.5, 0.25],
        [1, 9.25, null, null],
      ],
    ],
    [
      'its output',
      ['step     3 | loss: 9.250000 | lr 6.0e-06 | norm: 2.5 | dt: 700.50ms | tok/sec: 7500.25'],
      [
        ['step', 'loss', 'lr', 'norm', 'dt_ms', 'tok/sec'],
        [3, 9.25, 6e-6, 2.5, 700.5, 7500.25],
      ],
    ],
    [
      'modded-nanogpt',
      [
        'step:0/80 val_loss:9.5 train_time:0.25s step_avg:nanms',
        'step:1/80 train_loss:8.5 train_time:2s step_avg:12.5ms',
      ],
      [
        ['step', 'val_loss', 'train_time_s', 'step_avg_ms', 'train_loss'],
        [0, 9.5, 0.25, null, null],
        [1, null, 2, 12.5, 8.5],
      ],
    ],
    [
      'dictionaries of the Hugging Face Trainer',
      [
        `{'loss': 0.75, 'grad_norm': 1.5, 'learning_rate': 5e-05, 'epoch': 0.5}`,
        `{'loss': '0.5', 'learning_rate': '0.0', 'epoch': '1.0'}`,
      ],
      [
        ['epoch', 'loss', 'grad_norm', 'learning_rate'],
        [0.5, 0.75, 1.5, 5e-5],
        [1, 0.5, null, 0],
      ],
    ],
    [
      'loops that count inside of epochs',
      ['Epoch [1/2], Step [100/600], Loss: 0.75', 'Epoch [2/2], Step [100/600], Loss: 0.5'],
      [
        ['epoch', 'loss', 'epoch_step'],
        [1, 0.75, 100],
        [2, 0.5, 100],
      ],
    ],
    [
      'logging, ranks, and colours',
      [
        '2026-01-02 10:00:00,123 - INFO - step 7 - loss: 2.5 - acc: 91.5%',
        '\u001b[1;36m[rank0]:\u001b[0m step=8 loss=2.25',
      ],
      [
        ['step', 'loss', 'acc'],
        [7, 2.5, 91.5],
        [8, 2.25, null],
      ],
    ],
    [
      'Megatron',
      ['iteration       10/    1000 | learning rate: 1.5E-04 | lm loss: 2.5E+00 | grad norm: 1.25 |'],
      [
        ['step', 'learning_rate', 'lm_loss', 'grad_norm'],
        [10, 1.5e-4, 2.5, 1.25],
      ],
    ],
    [
      'values behind a progress bar',
      ['Epoch 3: 100%|######| 500/500 [01:00<00:00, 8.33it/s, loss=0.75, acc=0.5]'],
      [
        ['epoch', 'loss', 'acc'],
        [3, 0.75, 0.5],
      ],
    ],
  ])('%s', (_, lines, [columns, ...rows]) => {
    const { history } = read(log(lines)).facts;
    expect(history).toEqual({ columns, rows });
  });
});

test('no curve is read from', () => {
  const { facts, ending } = read(
    log([
      'Step 1: Mix 2 cups of flour and 3 eggs',
      '        print0(f"step:{step}/{args.num_iterations} val_loss:{val_loss:.4f} train_time:{ms:.0f}ms")',
      'max_steps: 1000, loss_scale: 128',
      'epoch is incremented. current_epoch: 0, epoch: 1',
      'wandb: step 5 loss 2.5',
      'sample 0: at step 4 we say hello 5 times',
      'loss: 0.5',
    ]),
  );
  expect({ facts, ending }).toEqual({ facts: {} });
});

test('totals, progress and last values are facts, with the file as their source', () => {
  const { facts, provenance, warnings } = read(
    log(['step:9/80 loss:2.5 lr:nan', 'step:10/80 loss:2.25 lr:nan'], 'log.txt'),
  );
  expect(facts).toMatchObject({
    config: { maxSteps: 80 },
    results: { stepsCompleted: 10, metrics: { loss: 2.25 } },
  });
  expect(provenance).toMatchObject({
    'config.maxSteps': 'log.txt',
    'results.stepsCompleted': 'log.txt',
    history: 'log.txt',
  });
  expect(warnings).toEqual(['log.txt: NaN or Infinity read as null: 2']);
  const epochs = read(log(['Epoch 1/50 Train Loss: 1.5', 'Epoch 2/50 Train Loss: 1.25'])).facts;
  expect(epochs.config).toEqual({ epochs: 50 });
  expect(epochs.results).toEqual({ epochsCompleted: 2, metrics: { train_loss: 1.25 } });
  const inside = read(log(['Epoch [1/2], Step [100/600], Loss: 0.75'])).facts;
  expect(inside.config).toEqual({ epochs: 2 });
  expect(inside.results).toEqual({ metrics: { loss: 0.75 } });
});

test("the Trainer's last record gives the duration and is no row", () => {
  const { facts } = read(
    log([`{'loss': 0.75, 'epoch': 1.0}`, `{'train_runtime': 61.5, 'train_loss': 0.875, 'epoch': 1.0}`]),
  );
  expect(facts.results).toEqual({
    durationSeconds: 61.5,
    metrics: { loss: 0.75, train_runtime: 61.5, train_loss: 0.875 },
  });
  expect(facts.history?.rows).toEqual([[1, 0.75]]);
});

describe('of several files', () => {
  test('the one with the curve speaks', () => {
    const { provenance } = read(
      log(['starting'], 'a.log'),
      log(curve, 'nohup.out'),
      log([curve[0] ?? ''], 'z.log'),
    );
    expect(provenance['history']).toBe('nohup.out');
  });

  test('the lowest rank speaks, whatever the others say', () => {
    const { facts, provenance } = read(
      log([curve[0] ?? ''], 'logs/rank_2.log'),
      log(curve, 'logs/rank_10.log'),
      log('', 'logs/rank_3.log'),
    );
    expect(provenance['history']).toBe('logs/rank_2.log');
    expect(facts.results?.stepsCompleted).toBe(0);
  });

  test('any rank is heard when it fails', () => {
    const { ending } = read(log(curve, 'ranks/0.log'), log(traceback, 'ranks/7.log'));
    expect(ending).toMatchObject({ status: 'failed', by: 'ranks/7.log' });
  });

  test('logs of torchrun and of wandb itself are left to their readers', () => {
    const paths = [
      'none_ab/attempt_0/0/stdout.log',
      'wandb/run-1/logs/debug.log',
      'wandb/debug-internal.log',
      'a.txt',
    ];
    expect(plainLogReader.select(paths.map((path) => ({ path, sizeBytes: 1, modifiedAtMs: now })))).toEqual(
      [],
    );
  });

  test('no more than 64 are followed, ranks in order', () => {
    const files = Array.from({ length: 200 }, (_, rank) => ({
      path: `rank_${rank}.log`,
      sizeBytes: 1,
      modifiedAtMs: now,
    }));
    const chosen = plainLogReader.select(files).map(({ path }) => path);
    expect(chosen).toEqual(Array.from({ length: 64 }, (_, rank) => `rank_${rank}.log`));
  });
});

test('a file that was begun anew says what it says now', () => {
  const [selection] = plainLogReader.select([{ path: 'a.log', sizeBytes: 1, modifiedAtMs: now }]);
  if (selection?.manner !== 'append') throw new Error('not followed');
  const segments = [selection.follow(), selection.follow()];
  segments[0]?.push(Buffer.from('step 900: loss=0.25\nTraceback (most recent call last):\nKeyError: 1\n'));
  segments[1]?.push(Buffer.from('step 1: loss=9.5\n'));
  const files = [{ path: 'a.log', sizeBytes: 17, modifiedAtMs: now }];
  const { facts, ending } = plainLogReader.assess(
    [{ ...files[0], path: 'a.log', sizeBytes: 17, modifiedAtMs: now, segments }],
    { name: 'run', files },
  );
  expect(facts.results).toEqual({ stepsCompleted: 1, metrics: { loss: 9.5 } });
  expect(ending).toBeUndefined();
});

describe('an end is told by', () => {
  test('a traceback, after a minute of silence, with its innermost lines', () => {
    expect(read(log([...curve, ...traceback])).ending).toEqual({
      status: 'failed',
      by: 'train.log',
      error: traceback.join('\n'),
      quietMs: minute,
    });
  });

  test.each<[string, string[], object]>([
    [
      'a traceback behind a progress bar',
      [
        '  5%|5         | 50/1000 [00:30<09:30, 1.67it/s]Traceback (most recent call last):',
        '  File "a.py", line 1',
        'ValueError: bad',
        '  5%|5         | 51/1000 [00:31<09:30, 1.67it/s]',
      ],
      {
        status: 'failed',
        error: 'Traceback (most recent call last):\n  File "a.py", line 1\nValueError: bad',
      },
    ],
    [
      'a traceback with a prefix of its rank',
      traceback.map((line) => `[rank3]: ${line}`),
      { status: 'failed', error: traceback.join('\n') },
    ],
    [
      'a traceback whose last line is still without its end',
      [...traceback.slice(0, 5), 'KeyboardInterrupt'],
      { status: 'cancelled' },
    ],
    [
      'one that was raised while another was handled',
      [
        'Traceback (most recent call last):',
        '  File "a"',
        'KeyError: 1',
        '',
        'During handling of the above exception, another exception occurred:',
        '',
        'Traceback (most recent call last):',
        '  File "b"',
        'OSError: disk',
      ],
      { status: 'failed', error: 'Traceback (most recent call last):\n  File "b"\nOSError: disk' },
    ],
    [
      'CUDA out of memory',
      ['torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB'],
      {
        status: 'failed',
        error: 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB',
        quietMs: minute,
      },
    ],
    [
      'a signal to torchrun',
      [
        ...traceback.slice(0, 5),
        'torch.distributed.elastic.multiprocessing.api.SignalException: Process 77 got signal: 15',
      ],
      { status: 'interrupted', quietMs: minute },
    ],
    [
      'srun',
      ['srun: error: node7: task 3: Exited with exit code 1'],
      { status: 'failed', error: 'srun: error: node7: task 3: Exited with exit code 1' },
    ],
    ['srun of many tasks', ['srun: error: node7: tasks 0-3: Killed'], { status: 'failed' }],
    [
      'the shell',
      ['/var/spool/slurm/job77/slurm_script: line 12: 4711 Killed                  python train.py'],
      { status: 'failed' },
    ],
    [
      'the kernel, by way of SLURM',
      [
        'slurmstepd: error: Detected 1 oom_kill event in StepId=77.0. Some of the step tasks have been OOM Killed.',
      ],
      { status: 'failed' },
    ],
    [
      'scancel',
      ['slurmstepd: error: *** JOB 77 ON node7 CANCELLED AT 2026-04-04T19:13:34 ***'],
      { status: 'cancelled' },
    ],
    [
      'scancel with a signal',
      [
        'slurmstepd: error: *** JOB 77 ON node7 CANCELLED AT 2026-04-04T19:13:34 DUE to SIGNAL Terminated ***',
      ],
      { status: 'cancelled' },
    ],
    [
      'preemption',
      ['slurmstepd: error: *** JOB 77 ON node7 CANCELLED AT 2026-04-04T19:13:34 DUE TO PREEMPTION ***'],
      { status: 'interrupted' },
    ],
    [
      'the failure of a node',
      [
        'slurmstepd: error: *** STEP 77.0 ON node7 CANCELLED AT 2026-04-04T19:13:34 DUE TO NODE FAILURE, SEE SLURMCTLD LOG FOR DETAILS ***',
      ],
      { status: 'interrupted' },
    ],
    [
      'the time limit',
      ['slurmstepd: error: *** JOB 77 ON node7 CANCELLED AT 2026-04-04T19:13:34 DUE TO TIME LIMIT ***'],
      { status: 'interrupted' },
    ],
    [
      'torchrun',
      [
        'Root Cause (first observed failure):',
        '[0]:',
        '  time      : 2026-01-02_10:00:00',
        '  rank      : 1 (local_rank: 1)',
        '  exitcode  : -9 (pid: 77)',
        '============',
      ],
      {
        status: 'failed',
        error:
          'Root Cause (first observed failure):\n  time      : 2026-01-02_10:00:00\n  rank      : 1 (local_rank: 1)\n  exitcode  : -9 (pid: 77)',
      },
    ],
    [
      'a failure before the scheduler cleared up',
      [
        ...traceback,
        'slurmstepd: error: *** STEP 77.0 ON node7 CANCELLED AT 2026-04-04T19:13:34 ***',
        'srun: error: node7: task 3: Exited with exit code 1',
      ],
      { status: 'failed', error: traceback.join('\n') },
    ],
    [
      'the scheduler, whose signal the program felt',
      [
        ...traceback.slice(0, 5),
        'KeyboardInterrupt',
        'slurmstepd: error: *** JOB 77 ON node7 CANCELLED AT 2026-04-04T19:13:34 DUE TO PREEMPTION ***',
      ],
      { status: 'interrupted' },
    ],
    [
      'a traceback, then noise',
      [
        ...traceback,
        'wandb: Run history:',
        'wandb: loss 5',
        '[W1012 10:00:00.1 ProcessGroup.cpp:1] Warning: destroy',
        'srun: Terminating StepId=77.0',
        '',
      ],
      { status: 'failed', quietMs: minute },
    ],
  ])('%s', (_, lines, expected) => {
    const { ending } = read(log([...curve, ...lines].join('\n')));
    expect(ending).toMatchObject({ by: 'train.log', ...expected });
    expect(ending && 'quietMs' in ending).toBe(
      (ending?.error?.startsWith('Traceback') && !lines.some((line) => /srun: error|CANCELLED/.test(line))) ||
        'quietMs' in expected,
    );
  });

  test('a launcher in one file and a traceback in another: its lines tell more', () => {
    const { ending } = read(
      log(traceback, 'stderr.log'),
      log([...curve, 'srun: error: node7: task 3: Exited with exit code 1'], 'slurm-77.out'),
    );
    expect(ending).toEqual({ status: 'failed', by: 'slurm-77.out', error: traceback.join('\n') });
  });
});

describe('no end is told by', () => {
  test.each<[string, string[]]>([
    ['silence', curve],
    ['the last step', ['step:80/80 loss:2.5', 'Total training time: 62.5s', 'Training complete']],
    ['a traceback that the training survived', [...traceback, 'iter 20: loss 3.25, time 20ms, mfu 12%']],
    [
      'a traceback after which the program had more to say',
      [...traceback, 'Could not save, going on without'],
    ],
    [
      'a traceback after which a bar moved on',
      [
        ' 10%|1  | 100/1000 [00:30<09:30, 1.67it/s]',
        ...traceback,
        ' 90%|9  | 900/1000 [00:30<09:30, 1.67it/s]',
      ],
    ],
    ['an error in logging', ['--- Logging error ---', ...traceback, 'Call stack:', '  File "x"']],
    ['an exception that Python ignored', ['Exception ignored in: <function _del at 0x7f>', ...traceback]],
    [
      'a cancelled step after which the job trained on',
      ['slurmstepd: error: *** STEP 77.0 ON node7 CANCELLED AT 2026-04-04T19:13:34 ***', ...curve],
    ],
    [
      'a batch that did not fit',
      [
        'WARNING: CUDA out of memory, skipping batch 7',
        'RuntimeError: CUDA out of memory, trying again',
        'retrying with half the batch',
      ],
    ],
    ['srun that was told 0', ['srun: error: node7: task 3: Exited with exit code 0']],
    [
      'a script that prints itself',
      [
        '    raise RuntimeError("Traceback (most recent call last):")',
        'print("Root Cause (first observed failure):")',
      ],
    ],
  ])('%s', (_, lines) => {
    expect(read(log(lines)).ending).toBeUndefined();
  });

  test.each([
    ['another log', log(curve, 'second.log', now + 2 * minute)],
    ['a checkpoint', log('x', 'ckpt.pt', now + 2 * minute)],
  ])('a log that is older than %s', (_, later) => {
    const failed = log([...curve, ...traceback, 'srun: error: node7: task 3: Exited with exit code 1']);
    expect(read(failed, later).ending).toBeUndefined();
    expect(read(failed, { ...later, modifiedAtMs: now + minute }).ending).toBeDefined();
  });
});

describe('a directory', () => {
  const proofOf = (names: string[], name = 'run') =>
    plainLogReader.recognise(
      directoryOf(
        names.map((path) => ({ path })),
        name,
      ),
    );

  test('is a run when log.txt holds a curve beside what nanoGPTs leave', () => {
    const found = proofOf(['log.txt', 'model_00250.pt']);
    expect(found).toMatchObject({ confidence: 'likely', proof: { paths: ['log.txt'] } });
    expect(found?.proof?.believe(Buffer.from('import sys\n0 val 9.5\n'), 'log.txt')).toBe(true);
    expect(found?.proof?.believe(Buffer.from('import sys\nhello\n'), 'log.txt')).toBe(false);
  });

  test.each([[['log.txt']], [['train.log', 'model.pt']], [['config.json', 'a.txt']]])(
    'is none with %j',
    (names) => {
      expect(proofOf(names)).toBeUndefined();
    },
  );
});

test('a log of any length leaves a thinned history', () => {
  const [selection] = plainLogReader.select([{ path: 'a.log', sizeBytes: 1, modifiedAtMs: now }]);
  if (selection?.manner !== 'append') throw new Error('not followed');
  const follower = selection.follow();
  for (let block = 0; block < 20; block += 1) {
    const lines = Array.from({ length: 1000 }, (_, at) => `step ${block * 1000 + at}: loss=${1 / (at + 1)}`);
    follower.push(Buffer.from(`${lines.join('\n')}\n`));
  }
  const files = [{ path: 'a.log', sizeBytes: 1, modifiedAtMs: now }];
  const { history } = plainLogReader.assess(
    [{ path: 'a.log', sizeBytes: 1, modifiedAtMs: now, segments: [follower] }],
    { name: 'run', files },
  ).facts;
  expect(history?.thinnedFrom).toBe(20_000);
  expect(history?.rows.length).toBeLessThan(1100);
  expect(history?.rows[0]?.[0]).toBe(0);
  expect(history?.rows.at(-1)?.[0]).toBe(19_999);
});

test.each([
  ['blanks', `step${' '.repeat(16_000)}x`],
  ['words', `step ${'a '.repeat(8000)}1`],
  ['quotes', `step 1 ${`a'`.repeat(8000)}`],
  ['bars', `${'%|<[, '.repeat(2700)}step`],
  ['numbers', `step ${'1.'.repeat(8000)}`],
  ['returns', `${'\r'.repeat(16_000)}x`],
  ['prefixes', `Traceback ${'[a]: '.repeat(3000)}`],
  ['stars', `*** JOB ${'a '.repeat(8000)} CANCELLED AT ${'*'.repeat(300)}`],
])('a line made of %s costs no more than any other', (_, line) => {
  const lines = Array.from({ length: 200 }, () => line);
  const startedAt = performance.now();
  read(log([...traceback, ...lines]));
  // 3 MB; a line that costs the square of its length takes minutes.
  expect(performance.now() - startedAt).toBeLessThan(5000);
});

describe.runIf(hasSamples)('files of real runs', () => {
  test.each(sampleNames('logs', /\.(log|out|txt)(@|$)/))('%s is survived and tells no end', (name) => {
    const file = sample('logs', new RegExp(`^${name.replaceAll(/[.+()[\]]/g, '\\$&')}$`), 'train.log', now);
    const { ending } = read(file);
    expect(ending).toBeUndefined();
  });

  test('build-nanogpt: log.txt', () => {
    const { facts } = read(sample('logs', /build-nanogpt__log__log\.txt/, 'log.txt'));
    expect(facts.history?.columns).toEqual(['step', 'loss', 'val_loss', 'hella']);
    expect(facts.history?.rows.slice(0, 2)).toEqual([
      [0, 10.934416, 10.931, 0.2413],
      [1, 10.883945, null, null],
    ]);
    expect(facts.results).toMatchObject({ stepsCompleted: 94 });
  });

  test('build-nanogpt: the output of a SLURM job that is still going on', () => {
    const { facts } = read(sample('logs', /nanogpt-bigger/, 'nanogpt-bigger-1818620.out'));
    expect(facts.history?.rows.length).toBe(251);
    expect(facts.history?.columns).toEqual(['step', 'loss', 'lr', 'norm', 'dt_ms', 'tok/sec']);
    expect(facts.history?.rows.at(-1)).toEqual([250, 6.041164, 2.1063e-4, 0.7095, 21683.05, 24179.63]);
  });

  test('modded-nanogpt: its own source before its curve, and the curve as it grows', () => {
    const steps = ['b8c778fb', '1191c4c6', 'c2f774c6'].map((commit) => {
      const { facts } = read(sample('logs', new RegExp(`11\\.01_46920.*@${commit}`), 'log.txt'));
      expect(facts.config).toEqual({ maxSteps: 10_000 });
      return [facts.results?.stepsCompleted, facts.results?.metrics?.['val_loss']];
    });
    expect(steps).toEqual([
      [300, 5.7978],
      [700, 5.2978],
      [10_000, 4.4688],
    ]);
  });

  test('a loop with progress bars over and over, that ends in the middle of one', () => {
    const { facts } = read(sample('logs', /wind_power/, 'train_seq_ar_diffusion_20250923_133014.log'));
    expect(facts).toEqual({
      config: { epochs: 50 },
      results: { epochsCompleted: 1, metrics: { train_loss: 1.0391, val_loss: 0.7877 } },
      history: { columns: ['epoch', 'train_loss', 'val_loss'], rows: [[1, 1.0391, 0.7877]] },
    });
  });

  test('logs without a curve say nothing', () => {
    expect(read(sample('logs', /zlH518.*rank_0/, 'rank_0.log')).facts).toEqual({});
    expect(read(sample('logs', /rrrsj.*rank_0/, 'rank_0.log')).facts).toEqual({});
    expect(read(sample('lora', /SnowFox999__LoRa__train\.log/, 'train.log')).facts).toEqual({});
  });
});
