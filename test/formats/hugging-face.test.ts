import { describe, expect, test } from 'vitest';
import { huggingFaceReader } from '../../src/formats/hugging-face.ts';
import { eventFile, scalar, text } from '../support/event-file.ts';
import { type RunFile, readRun } from '../support/read-run.ts';
import { obeysReaderLaws } from '../support/reader-laws.ts';
import { hasSamples, sample, sampleNames } from '../support/real-samples.ts';
import { directoryOf } from '../support/run-directory.ts';

const second = 1000;
const minute = 60 * second;
/** When the training was over. */
const ended = 1_750_000_000_000;

interface Change {
  readonly step?: number;
  readonly maxSteps?: number;
  readonly stopping?: boolean;
  readonly runtime?: number;
  readonly trainLoss?: number;
  readonly log?: readonly object[];
}

function state({
  step = 100,
  maxSteps = 200,
  stopping = false,
  runtime,
  trainLoss = 1.5,
  log,
}: Change = {}): string {
  const records = log ?? [
    { epoch: 0.5, grad_norm: 3.5, learning_rate: 2e-5, loss: 2, step: 50 },
    { epoch: 1, eval_loss: 1.75, eval_runtime: 3, step: 50 },
    { epoch: 1, grad_norm: 3, learning_rate: 1e-5, loss: 1, step },
  ];
  const summary = { epoch: 1, step, total_flos: 5e15, train_loss: trainLoss, train_runtime: runtime };
  const document = {
    best_metric: null,
    best_model_checkpoint: null,
    epoch: 1,
    eval_steps: 50,
    global_step: step,
    is_hyper_param_search: false,
    log_history: runtime === undefined ? records : [...records, summary],
    logging_steps: 50,
    max_steps: maxSteps,
    num_train_epochs: 2,
    save_steps: 100,
    stateful_callbacks: { TrainerControl: { args: { should_training_stop: stopping }, attributes: {} } },
    train_batch_size: 8,
  };
  return JSON.stringify(document, null, 2);
}

function file(path: string, content: string | Buffer, modifiedAtMs = ended): RunFile {
  return { path, bytes: Buffer.from(content), modifiedAtMs };
}

function trainingEvents(at: number): Buffer {
  const started = { at: at / 1000, values: [text('args/text_summary', '{"output_dir": "out"}')] };
  return eventFile([started, { at: at / 1000 + 5, step: 10, values: [scalar('train/loss', 1)] }]);
}

function evaluationEvents(at: number): Buffer {
  const names = ['eval/loss', 'eval/accuracy', 'eval/runtime', 'eval/samples_per_second', 'train/epoch'];
  return eventFile(names.map((name) => ({ at: at / 1000, step: 200, values: [scalar(name, 1)] })));
}

function eventName(at: number, more = 'host.7.0'): string {
  return `runs/Jan01_host/events.out.tfevents.${Math.floor(at / 1000)}.${more}`;
}

const running = [
  file('checkpoint-100/trainer_state.json', state(), ended - 5 * minute),
  file('checkpoint-100/model.safetensors', 'weights', ended - 6 * minute),
];
const finished = [
  file('checkpoint-200/trainer_state.json', state({ step: 200, stopping: true }), ended - minute),
  file('trainer_state.json', state({ step: 200, runtime: 321.5 })),
];

test('a checkpoint says how far it is, with what and how it went', () => {
  expect(readRun(huggingFaceReader, running)).toEqual({
    facts: {
      framework: 'transformers',
      config: {
        epochs: 2,
        batchSize: 8,
        maxSteps: 200,
        raw: {
          num_train_epochs: 2,
          max_steps: 200,
          train_batch_size: 8,
          save_steps: 100,
          eval_steps: 50,
          logging_steps: 50,
        },
      },
      results: {
        stepsCompleted: 100,
        epochsCompleted: 1,
        metrics: { grad_norm: 3, learning_rate: 1e-5, loss: 1, eval_loss: 1.75, eval_runtime: 3 },
        checkpointsSaved: [
          { path: 'checkpoint-100', bytes: state().length + 7, savedAt: '2025-06-15T15:01:40.000Z' },
        ],
      },
      history: {
        columns: ['step', 'epoch', 'loss', 'grad_norm', 'learning_rate', 'eval_loss', 'eval_runtime'],
        rows: [
          [50, 1, 2, 3.5, 2e-5, 1.75, 3],
          [100, 1, 1, 3, 1e-5, null, null],
        ],
      },
    },
    provenance: expect.objectContaining({
      'session.framework': 'checkpoint-100/trainer_state.json',
      'config.epochs': 'checkpoint-100/trainer_state.json',
      'results.metrics': 'checkpoint-100/trainer_state.json',
      history: 'checkpoint-100/trainer_state.json',
    }),
    documents: {},
    warnings: [],
    unread: [],
  });
});

test('the newest state counts, however the checkpoints are numbered', () => {
  const files = [
    file('checkpoint-900/trainer_state.json', state({ step: 900, maxSteps: 900 }), ended - 60 * minute),
    file('checkpoint-100/trainer_state.json', state(), ended),
  ];
  const { facts, ending } = readRun(huggingFaceReader, files);
  expect(facts.results).toMatchObject({ stepsCompleted: 100 });
  expect(facts.results?.checkpointsSaved?.map(({ path }) => path)).toEqual([
    'checkpoint-100',
    'checkpoint-900',
  ]);
  expect(ending).toBeUndefined();
});

test('results files give final metrics, the mixed one only what no other knows', () => {
  const files = [
    ...finished,
    file('train_results.json', '{"epoch": 2.0, "train_runtime": 321.5, "train_loss": 1.25}'),
    file('eval_results.json', '{"eval_loss": 0.5, "eval_accuracy": 0.75}'),
    file('all_results.json', '{"eval_loss": 9, "predict_loss": 0.25}'),
    file('config.json', '{"_name_or_path": "org/base"}'),
    file('adapter_config.json', '{"base_model_name_or_path": "org/adapted"}'),
  ];
  const { facts, provenance } = readRun(huggingFaceReader, files);
  expect(facts.results?.metrics).toMatchObject({
    eval_loss: 0.5,
    eval_accuracy: 0.75,
    predict_loss: 0.25,
    train_loss: 1.25,
  });
  expect(facts.config?.model).toBe('org/adapted');
  expect(facts.results?.durationSeconds).toBe(321.5);
  expect(provenance['results.metrics.predict_loss']).toBe('all_results.json');
});

describe('the end', () => {
  test.each<[string, RunFile[], string]>([
    ['a record of the runtime at the last step', finished, 'trainer_state.json'],
    [
      'the summary of the training',
      [...running, file('train_results.json', '{"train_runtime": 5, "train_loss": 1}')],
      'train_results.json',
    ],
    [
      'a last checkpoint that was told to stop at max_steps',
      [file('checkpoint-200/trainer_state.json', state({ step: 200, stopping: true }))],
      'checkpoint-200/trainer_state.json',
    ],
    [
      'a last checkpoint at max_steps',
      [file('checkpoint-200/trainer_state.json', state({ step: 200 }))],
      'checkpoint-200/trainer_state.json',
    ],
    [
      'a training that stopped early by itself and said so',
      [...running, file('trainer_state.json', state({ runtime: 5 }))],
      'trainer_state.json',
    ],
    [
      'an evaluation after it, in a file of its own',
      [...finished, file(eventName(ended + minute), evaluationEvents(ended + minute), ended + 9 * minute)],
      'trainer_state.json',
    ],
    [
      'a log that tells of its end, and of an evaluation after it',
      [
        ...finished,
        file(
          'stdout.log',
          "{'loss': 1.5, 'epoch': 1}\n{'train_runtime': 5, 'train_loss': 1}\n{'eval_loss': 1, 'epoch': 1}\n",
          ended + 9 * minute,
        ),
        file(
          'stderr.log',
          '***** Running training *****\n\nTraining completed. Do not forget to share\n***** Running Evaluation *****\n',
          ended + 9 * minute,
        ),
      ],
      'trainer_state.json',
    ],
    [
      'other ranks that wrote their part of the last checkpoint a little later',
      [...finished.slice(0, 1), file('checkpoint-200/rng_state_1.pth', 'rng', ended + second)],
      'checkpoint-200/trainer_state.json',
    ],
    [
      'evidence of a later training, while that of the first is old',
      [
        file('trainer_state.json', state({ step: 900, runtime: 1 }), ended - 60 * minute),
        file('checkpoint-200/trainer_state.json', state({ step: 200, stopping: true })),
      ],
      'checkpoint-200/trainer_state.json',
    ],
  ])('is seen by %s', (_, files, by) => {
    expect(readRun(huggingFaceReader, files).ending).toMatchObject({ status: 'completed', by });
  });

  test('counts at once where a summary says so, else after a quiet minute', () => {
    const [last] = finished;
    expect(readRun(huggingFaceReader, finished).ending).not.toHaveProperty('quietMs');
    expect(readRun(huggingFaceReader, last ? [last] : []).ending).toMatchObject({ quietMs: minute });
  });

  test('counts only once another training that writes here as well had time to show', () => {
    const events = [ended - minute, ended - 2 * minute].map((at) =>
      file(eventName(at), trainingEvents(at), ended),
    );
    expect(readRun(huggingFaceReader, [...finished, ...events]).ending).toMatchObject({
      quietMs: 3 * minute,
    });
    expect(readRun(huggingFaceReader, [...finished, ...events.slice(1)]).ending).not.toHaveProperty(
      'quietMs',
    );
  });

  test('that was contradicted is said to be', () => {
    const anew = file('checkpoint-50/trainer_state.json', state({ step: 50 }), ended + minute);
    expect(readRun(huggingFaceReader, [...finished, anew])).toMatchObject({ goesOn: true });
    expect(readRun(huggingFaceReader, running)).not.toHaveProperty('goesOn');
  });

  const resumed = file(
    'checkpoint-300/trainer_state.json',
    state({ step: 300, maxSteps: 400 }),
    ended + minute,
  );
  test.each<[string, RunFile[]]>([
    ['a training that is not there yet', running],
    ['a stop before max_steps', [file('checkpoint-100/trainer_state.json', state({ stopping: true }))]],
    ['a training resumed beyond the end', [...finished, resumed]],
    [
      'a training begun anew, by its first checkpoint',
      [...finished, file('checkpoint-50/trainer_state.json', state({ step: 50 }), ended + minute)],
    ],
    [
      'a checkpoint that is just being written',
      [...finished, file('checkpoint-50/model.safetensors', 'half', ended + minute)],
    ],
    [
      'a temporary checkpoint',
      [...finished, file('tmp-checkpoint-50/model.safetensors', 'half', ended + minute)],
    ],
    [
      'a training begun anew, by its event file',
      [...finished, file(eventName(ended + minute), trainingEvents(ended + minute), ended + minute)],
    ],
    [
      'an event file of which nothing is known yet',
      [...finished, file(eventName(ended + minute), eventFile([]), ended + minute)],
    ],
    [
      'a training that goes on in an event file begun before',
      [...finished, file(eventName(ended - minute), trainingEvents(ended - minute), ended + 9 * minute)],
    ],
    [
      'values that are printed after it',
      [...finished, file('nohup.out', "{'loss': 1.5, 'epoch': 0.1}\n", ended + minute)],
    ],
    [
      'a training that is said to begin',
      [...finished, file('logs/stderr.log', '[INFO] ***** Running training *****\n', ended + minute)],
    ],
    ['a log that goes on', [...finished, file('trainer_log.jsonl', '{}', ended + 9 * minute)]],
    [
      'a tracker begun later',
      [...finished, file('wandb/run-20250615_150000-abc/run-abc.wandb', 'x', ended + minute)],
    ],
    [
      'a copied checkpoint beyond the end',
      [...finished, file('checkpoint-300/trainer_state.json', state({ step: 300, maxSteps: 400 }), ended)],
    ],
    [
      'results that were mixed from several runs',
      [...running, file('all_results.json', '{"train_runtime": 5}', ended)],
    ],
    [
      'a record of the runtime that a training carried on from',
      [
        file(
          'checkpoint-150/trainer_state.json',
          state({
            step: 150,
            log: [
              { step: 100, train_runtime: 5, train_loss: 1 },
              { step: 150, loss: 0.5 },
            ],
          }),
        ),
      ],
    ],
    [
      'a record of the runtime, without its step, that a training carried on from',
      [
        file(
          'checkpoint-150/trainer_state.json',
          state({ step: 150, log: [{ train_runtime: 5 }, { step: 150, loss: 1 }] }),
        ),
      ],
    ],
    ['max_steps of 0', [file('trainer_state.json', state({ step: 0, maxSteps: 0 }))]],
  ])('is not seen in %s', (_, files) => {
    expect(readRun(huggingFaceReader, files).ending).toBeUndefined();
  });
});

test('results of a run before the one that is going on are not used', () => {
  const old = file('eval_results.json', '{"eval_accuracy": 0.99}', ended - 60 * minute);
  const { facts, warnings } = readRun(huggingFaceReader, [...running, old]);
  expect(facts.results?.metrics).not.toHaveProperty('eval_accuracy');
  expect(warnings).toEqual([
    'eval_results.json: not used: a training was begun, or went on, after it was written',
  ]);
});

test('a resumed training says so, and gives no duration that would be of its last process alone', () => {
  const log = Array.from({ length: 10 }, (_, at) => ({ epoch: 1, loss: 2, step: at * 20 + 20 }));
  const whole = state({ step: 200, runtime: 60, trainLoss: 0.4, log });
  const { facts, ending, warnings } = readRun(huggingFaceReader, [file('trainer_state.json', whole)]);
  expect(facts.results).not.toHaveProperty('durationSeconds');
  expect(ending?.status).toBe('completed');
  expect(warnings).toEqual([
    'trainer_state.json: the training was resumed: train_runtime and train_loss are of its last process alone',
  ]);
});

test('what Python writes that JSON does not know is read all the same', () => {
  const strange = state()
    .replace('"loss": 1,', '"loss": NaN,')
    .replace('"num_train_epochs": 2', '"num_train_epochs": 9223372036854775807')
    .replaceAll('\n', '\r\n');
  const { facts, warnings } = readRun(huggingFaceReader, [file('trainer_state.json', strange)]);
  expect(facts.config).not.toHaveProperty('epochs');
  expect(facts.results?.metrics?.['loss']).toBeNull();
  expect(facts.history?.rows[1]?.[2]).toBeNull();
  expect(warnings).toEqual([
    'trainer_state.json: NaN or Infinity read as null, once',
    'trainer_state.json: integer beyond 2^53 kept as a string, once',
  ]);
});

test('records without a step and values that are texts have their place', () => {
  const log = [{ predict_loss: 0.5 }, { step: 10, loss: 1, elapsed: '59h:30m:19s', nested: { a: 1 } }];
  const { facts } = readRun(huggingFaceReader, [file('trainer_state.json', state({ step: 10, log }))]);
  expect(facts.history).toEqual({ columns: ['step', 'loss', 'elapsed'], rows: [[10, 1, '59h:30m:19s']] });
  expect(facts.results?.metrics).toEqual({ predict_loss: 0.5, loss: 1, elapsed: '59h:30m:19s' });
});

test.each([
  [{ 'rewards/chosen': 1 }, 'trl'],
  [{ mean_token_accuracy: 0.5 }, 'trl'],
  [{ loss: 1 }, 'transformers'],
])('a log with %j is of %s', (values, framework) => {
  const log = [{ step: 1, ...values }];
  const { facts } = readRun(huggingFaceReader, [file('trainer_state.json', state({ step: 1, log }))]);
  expect(facts.framework).toBe(framework);
});

test('a state too long to be read whole still says how far it is', () => {
  const log = Array.from({ length: 100_000 }, (_, at) => ({
    epoch: 1,
    loss: 2,
    step: at,
    more: 'x'.repeat(40),
  }));
  const long = state({ step: 100_000, log });
  const { facts, ending, warnings } = readRun(huggingFaceReader, [
    file('checkpoint-100000/trainer_state.json', long),
  ]);
  expect(facts.results).toMatchObject({ stepsCompleted: 100_000, epochsCompleted: 1 });
  expect(ending).toBeUndefined();
  expect(warnings.join()).toMatch(/more than the 8388608 that are read: only step and epoch are known/);
});

test('long histories are thinned, first and last row stay', () => {
  const log = Array.from({ length: 20_000 }, (_, at) => ({ loss: 2, step: at + 1 }));
  const { facts } = readRun(huggingFaceReader, [file('trainer_state.json', state({ step: 20_000, log }))]);
  expect(facts.history?.thinnedFrom).toBe(20_000);
  expect(facts.history?.rows.length).toBeLessThan(1100);
  expect([facts.history?.rows[0]?.[0], facts.history?.rows.at(-1)?.[0]]).toEqual([1, 20_000]);
});

describe('what only has the name', () => {
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5360\n';
  test.each<[string, RunFile[], string[]]>([
    ['the state of a trading bot', [file('trainer_state.json', '{"balance": -1, "positions": []}')], []],
    [
      'a pointer of Git LFS',
      [file('checkpoint-1/trainer_state.json', pointer)],
      ['checkpoint-1/trainer_state.json'],
    ],
    ['half a file', [file('trainer_state.json', state().slice(0, 300))], ['trainer_state.json']],
    ['an empty file', [file('trainer_state.json', '')], ['trainer_state.json']],
    ['a file of macOS', [file('runs/a/._events.out.tfevents.1700000000.host.1.0', 'Mac OS X')], []],
  ])('says nothing: %s', (_, files, unread) => {
    const assessment = readRun(huggingFaceReader, files);
    expect(assessment).toMatchObject({ facts: {}, provenance: {} });
    expect(assessment.ending).toBeUndefined();
    expect(assessment.unread.map((line) => line.split(':')[0])).toEqual(unread);
  });
});

describe('an output directory', () => {
  test.each<[string, RunFile[], string[], boolean]>([
    ['with checkpoints', running, ['checkpoint-100/trainer_state.json'], true],
    ['with the state in it', finished, ['trainer_state.json', 'checkpoint-200/trainer_state.json'], true],
    [
      'before its first checkpoint',
      [file(eventName(ended), trainingEvents(ended))],
      [eventName(ended)],
      true,
    ],
    ['with results alone', [file('eval_results.json', '{"eval_runtime": 1}')], ['eval_results.json'], true],
    ['of a trading bot', [file('trainer_state.json', '{"balance": 1}')], ['trainer_state.json'], false],
    [
      'of any other writer of runs',
      [file(eventName(ended), evaluationEvents(ended))],
      [eventName(ended)],
      false,
    ],
  ])('is one %s', (_, files, paths, isOne) => {
    const recognition = huggingFaceReader.recognise(directoryOf(files));
    expect(recognition).toMatchObject({ confidence: 'likely', proof: { paths } });
    const [path = ''] = paths;
    const bytes = files.find((one) => one.path === path)?.bytes ?? Buffer.alloc(0);
    expect(recognition?.proof?.believe(bytes.subarray(0, recognition.proof.bytesMax), path)).toBe(isOne);
  });

  test('is none when it is itself a checkpoint', () => {
    expect(huggingFaceReader.recognise(directoryOf(finished, 'checkpoint-200'))).toBeUndefined();
    expect(huggingFaceReader.recognise(directoryOf([file('model.py', '')]))).toBeUndefined();
  });
});

obeysReaderLaws(huggingFaceReader, {
  running,
  finished: [
    ...finished,
    file('train_results.json', '{"train_runtime": 5, "epoch": 2.0}'),
    file('adapter_config.json', '{"base_model_name_or_path": "b"}'),
  ],
  early: [file(eventName(ended), trainingEvents(ended))],
});

describe.runIf(hasSamples)('files of real runs', () => {
  test.each(sampleNames('hf', /trainer_state|results/))('%s is read', (name) => {
    const path = /checkpoint-\d+|last-checkpoint/.exec(name)?.[0];
    const base = /[^_]+_(?:state|results)\.json/.exec(name)?.[0] ?? name;
    const escaped = new RegExp(`^${name.replaceAll('.', '\\.')}$`);
    const one = sample('hf', escaped, path && !name.includes('Checkpoint-of') ? `${path}/${base}` : base);
    const { warnings } = readRun(huggingFaceReader, [one]);
    expect(warnings.length).toBeLessThan(3);
  });

  test('a run that grows, then ends', () => {
    const at = (commit: string) =>
      sample(
        'hf',
        new RegExp(`P4P4N1CK.*trainer_state\\.json@${commit}`),
        'last-checkpoint/trainer_state.json',
      );
    const grown = ['a11d12ea', '74124906', '5cf38881'].map((commit) =>
      readRun(huggingFaceReader, [at(commit)]),
    );
    expect(grown.map(({ facts }) => facts.results?.stepsCompleted)).toEqual([1000, 2000, 3000]);
    expect(grown.map(({ facts }) => facts.history?.rows.length)).toEqual([40, 80, 120]);
    expect(grown.map(({ ending }) => ending)).toEqual([undefined, undefined, undefined]);
    const last = readRun(huggingFaceReader, [
      sample('hf', /P4P4N1CK.*steps__trainer_state/, 'trainer_state.json'),
      sample('hf', /P4P4N1CK.*all_results/, 'all_results.json'),
      sample('hf', /P4P4N1CK.*eval_results/, 'eval_results.json'),
    ]);
    expect(last.ending).toEqual({ status: 'completed', by: 'trainer_state.json' });
    expect(last.facts.config).toMatchObject({ epochs: 39, maxSteps: 5000 });
    expect(last.facts.results).toMatchObject({
      durationSeconds: 77350.9963,
      epochsCompleted: 38.16793893129771,
      metrics: { eval_loss: 0.4200145900249481, eval_samples: 4485, train_samples: 6505, loss: 0.0002 },
    });
  });

  test('a resumed run with epochs without end', () => {
    const { facts, ending, warnings } = readRun(huggingFaceReader, [
      sample('hf', /anthonyrathe/, 'trainer_state.json'),
    ]);
    expect(facts.config).toEqual({ maxSteps: 15_000, raw: { max_steps: 15_000 } });
    expect(facts.results).toMatchObject({
      stepsCompleted: 15_000,
      metrics: { train_loss: 0.006579866043726603 },
    });
    expect(facts.results).not.toHaveProperty('durationSeconds');
    expect(ending?.status).toBe('completed');
    expect(warnings[1]).toMatch(/the training was resumed/);
  });

  test.each([
    [
      /ishanwa/,
      'checkpoint-500',
      { stepsCompleted: 500, epochsCompleted: 500 },
      { epochs: 500, batchSize: 16, maxSteps: 500 },
      4,
    ],
    [
      /anra8571/,
      'checkpoint-16425',
      { stepsCompleted: 16425, epochsCompleted: 3 },
      { epochs: 3, batchSize: 16, maxSteps: 16425 },
      2,
    ],
  ])('%s: NaN in it', (name, checkpoint, results, config, count) => {
    const path = `${checkpoint}/trainer_state.json`;
    const { facts, ending, warnings } = readRun(huggingFaceReader, [sample('hf', name, path)]);
    expect(facts).toMatchObject({ results, config });
    expect(ending).toMatchObject({ status: 'completed', by: path });
    expect(warnings).toEqual([`${path}: NaN or Infinity read as null, ${count} times`]);
  });

  test('a run with predictions, and one without its state', () => {
    const { facts, ending } = readRun(huggingFaceReader, [
      sample('hf', /Jaong.*trainer_state/, 'trainer_state.json'),
      sample('hf', /Jaong.*train_results/, 'train_results.json'),
    ]);
    expect(facts.results).toMatchObject({ stepsCompleted: 5490, durationSeconds: 64358.151 });
    expect(facts.results?.metrics).toMatchObject({ predict_loss: 0.4661196768283844, train_samples: 3290 });
    expect(facts.history?.rows).toHaveLength(20);
    expect(ending).toEqual({ status: 'completed', by: 'trainer_state.json' });
  });

  test('impostors say nothing', () => {
    const bot = readRun(huggingFaceReader, [sample('hf', /KosKis1/, 'trainer_state.json')]);
    expect([bot.facts, bot.ending, bot.warnings]).toEqual([{}, undefined, []]);
    const pointer = readRun(huggingFaceReader, [
      sample('hf', /Observer-18/, 'checkpoint-100/trainer_state.json'),
    ]);
    expect([pointer.facts, pointer.ending]).toEqual([{}, undefined]);
  });
});
