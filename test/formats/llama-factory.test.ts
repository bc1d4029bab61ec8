import { describe, expect, test } from 'vitest';
import { llamaFactoryReader } from '../../src/formats/llama-factory.ts';
import { readDuration } from '../../src/formats/parts/llama-factory-log.ts';
import { type RunFile, readRun } from '../support/read-run.ts';
import { obeysReaderLaws } from '../support/reader-laws.ts';
import { hasSamples, sample, sampleNames } from '../support/real-samples.ts';
import { directoryOf } from '../support/run-directory.ts';

function file(path: string, content: string): RunFile {
  return { path, bytes: Buffer.from(content) };
}

interface Line {
  readonly step: number;
  readonly elapsed: string;
  readonly loss?: number;
}

function lines(...rows: Line[]): string {
  return rows
    .map(({ step, elapsed, loss }) => {
      const values = loss === undefined ? {} : { loss, lr: 1e-5 };
      const record = {
        current_steps: step,
        total_steps: 100,
        ...values,
        epoch: step / 50,
        percentage: step,
        elapsed_time: elapsed,
        remaining_time: '1 day, 0:08:23',
      };
      return `${JSON.stringify(record)}\n`;
    })
    .join('');
}

const log = lines(
  { step: 10, elapsed: '0:01:00', loss: 2 },
  { step: 20, elapsed: '0:02:00', loss: 1 },
  { step: 100, elapsed: '1 day, 0:10:00.5' },
);
const args = [
  'stage: sft',
  'finetuning_type: lora',
  'model_name_or_path: org/base',
  'dataset: alpaca_en',
  'num_train_epochs: 2.0',
  'per_device_train_batch_size: 2',
  'learning_rate: 5.0e-05',
  '',
].join('\n');

test('the log says how it goes, the arguments with what', () => {
  const files = [
    file('trainer_log.jsonl', log),
    file('training_args.yaml', args),
    file('llamaboard_config.yaml', 'top.model_name: Base-3B\n'),
  ];
  expect(readRun(llamaFactoryReader, files)).toEqual({
    facts: {
      framework: 'llama-factory',
      config: {
        epochs: 2,
        batchSize: 2,
        learningRate: 5e-5,
        maxSteps: 100,
        model: 'org/base',
        dataset: 'alpaca_en',
        raw: expect.objectContaining({ stage: 'sft' }),
      },
      results: {
        stepsCompleted: 100,
        epochsCompleted: 2,
        durationSeconds: 87000.5,
        metrics: { loss: 1, learning_rate: 1e-5 },
      },
      history: {
        columns: ['step', 'epoch', 'loss', 'learning_rate'],
        rows: [
          [10, 0.2, 2, 1e-5],
          [20, 0.4, 1, 1e-5],
          [100, 2, null, null],
        ],
      },
    },
    provenance: expect.objectContaining({
      'session.framework': 'trainer_log.jsonl',
      'config.maxSteps': 'trainer_log.jsonl',
      'config.model': 'training_args.yaml',
      history: 'trainer_log.jsonl',
    }),
    documents: {},
    warnings: [],
    unread: [],
  });
});

test('the last step is no end: the model is not saved yet', () => {
  expect(readRun(llamaFactoryReader, [file('trainer_log.jsonl', log)]).ending).toBeUndefined();
});

test("the Trainer's own measure of the duration goes before the log's", () => {
  const files = [file('trainer_log.jsonl', log), file('train_results.json', '{}')];
  expect(readRun(llamaFactoryReader, files).facts.results).not.toHaveProperty('durationSeconds');
});

test('processes one after the other add up', () => {
  const resumed = lines(
    { step: 10, elapsed: '0:10:00', loss: 2 },
    { step: 20, elapsed: '0:20:00', loss: 1 },
    { step: 11, elapsed: '0:01:00', loss: 2 },
    { step: 30, elapsed: '0:15:00', loss: 1 },
  );
  const { facts, warnings } = readRun(llamaFactoryReader, [file('trainer_log.jsonl', resumed)]);
  expect(facts.results).toMatchObject({ durationSeconds: 35 * 60, stepsCompleted: 30 });
  expect(warnings).toEqual([
    'trainer_log.jsonl: steps go back 1 times: the training was resumed or begun anew',
  ]);
});

test('processes side by side do not: their clocks only seem to fall', () => {
  const both = Array.from({ length: 40 }, (_, at) => [
    { step: at * 2 + 20, elapsed: `0:${String(at + 15).padStart(2, '0')}:00`, loss: 2 },
    { step: at * 2 + 2, elapsed: `0:${String(at).padStart(2, '0')}:00`, loss: 2 },
  ]).flat();
  const { facts, warnings } = readRun(llamaFactoryReader, [file('trainer_log.jsonl', lines(...both))]);
  expect(facts.results?.durationSeconds).toBe(54 * 60);
  expect(warnings).toEqual([
    'trainer_log.jsonl: steps go back 40 times: more than one process writes this file',
  ]);
});

test('a log of predictions is no training', () => {
  const predicting =
    '{"current_steps": 5, "total_steps": 250, "loss": null, "epoch": null, "percentage": 2.0, "elapsed_time": "0:00:19"}\n';
  const { facts } = readRun(llamaFactoryReader, [file('trainer_log.jsonl', predicting.repeat(5))]);
  expect(facts).toEqual({});
});

test('lines that are damaged are counted, the others read', () => {
  const { facts, warnings } = readRun(llamaFactoryReader, [
    file('trainer_log.jsonl', `${log}{"current_steps": 1\nnot JSON\n\n${log}`),
  ]);
  expect(facts.history?.rows).toHaveLength(6);
  expect(warnings[0]).toBe('trainer_log.jsonl: lines that are no JSON object left out: 2');
});

test.each([
  ['0:08:23', 503],
  ['1 day, 0:08:23', 86_903],
  ['9 days, 22:13:15', 857_595],
  ['12:00:00.250', 43_200.25],
  ['0:61:00', undefined],
  ['soon', undefined],
  [7, undefined],
])('a duration like %j is %s seconds', (written, seconds) => {
  expect(readDuration(written)).toBe(seconds);
});

test.each<[string, string, boolean]>([
  ['trainer_log.jsonl', log, true],
  ['trainer_log.jsonl', '{"step": 1}\n', false],
  ['training_args.yaml', args, true],
  ['training_args.yaml', 'learning_rate: 1\n', false],
])('%s is believed by what is in it: %s', (path, content, isOne) => {
  const proof = llamaFactoryReader.recognise(directoryOf([{ path }]))?.proof;
  expect(proof?.paths).toEqual([path]);
  expect(proof?.believe(Buffer.from(content), path)).toBe(isOne);
});

obeysReaderLaws(llamaFactoryReader, {
  board: [
    file('trainer_log.jsonl', log),
    file('training_args.yaml', args),
    file('llamaboard_config.yaml', 'top.model_name: B\n'),
  ],
});

describe.runIf(hasSamples)('files of real runs', () => {
  test.each(sampleNames('llamafactory', /trainer_log/))('%s is read, cut anywhere', (name) => {
    const one = sample('llamafactory', new RegExp(`^${name.replaceAll('.', '\\.')}$`), 'trainer_log.jsonl');
    expect(readRun(llamaFactoryReader, [one], { chunkBytes: 997 })).toEqual(
      readRun(llamaFactoryReader, [one]),
    );
  });

  test.each<[RegExp, object | undefined, number | undefined, string[]]>([
    [
      /hiyouga.*aeee2444/,
      { stepsCompleted: 20, epochsCompleted: 0.64, durationSeconds: 165, metrics: { loss: 0.2474 } },
      2,
      [],
    ],
    [
      /hiyouga.*9a2b4682/,
      { stepsCompleted: 50, epochsCompleted: 1.576, durationSeconds: 407, metrics: { loss: 0.1158 } },
      5,
      [],
    ],
    [
      /hsc748NLP.*trainer_log/,
      { stepsCompleted: 2178, durationSeconds: 857_595, metrics: { loss: 1.9787 } },
      436,
      [],
    ],
    [
      /rameyjm7.*trainer_log/,
      {
        stepsCompleted: 6565,
        epochsCompleted: 7,
        durationSeconds: 79_686 + 23_786,
        metrics: { loss: 0.3717 },
      },
      552,
      ['trainer_log.jsonl: steps go back 416 times: more than one process writes this file'],
    ],
    [/gi7014.*trainer_log/, undefined, undefined, []],
  ])('%s', (name, results, rows, expected) => {
    const { facts, ending, warnings } = readRun(llamaFactoryReader, [
      sample('llamafactory', name, 'trainer_log.jsonl'),
    ]);
    if (results === undefined) expect(facts).toEqual({});
    else expect(facts.results).toMatchObject(results);
    expect(facts.history?.rows.length).toBe(rows);
    expect(ending).toBeUndefined();
    expect(warnings).toEqual(expected);
  });

  test('a prediction started from the web page', () => {
    const files = ['training_args.yaml', 'llamaboard_config.yaml'].map((name) =>
      sample('llamafactory', new RegExp(`gi7014.*${name}`), name),
    );
    const { facts } = readRun(llamaFactoryReader, files);
    expect(facts.config).toMatchObject({
      model: 'Qwen/Qwen2.5-3B-Instruct',
      raw: { do_predict: true, max_samples: 500 },
    });
  });
});
