import { describe, expect, test } from 'vitest';
import { torchtuneReader } from '../../src/formats/torchtune.ts';
import { type RunFile, readRun } from '../support/read-run.ts';
import { obeysReaderLaws } from '../support/reader-laws.ts';
import { hasSamples, sample } from '../support/real-samples.ts';
import { directoryOf } from '../support/run-directory.ts';

function file(path: string, content: string): RunFile {
  return { path, bytes: Buffer.from(content), modifiedAtMs: 1_750_000_000_000 };
}

const config = [
  'batch_size: 2',
  'epochs: 1',
  'seed: 3',
  'model:',
  '  _component_: torchtune.models.llama3.lora',
  'optimizer:',
  '  _component_: torch.optim.AdamW',
  '  lr: 0.0003',
  '',
].join('\n');
const first =
  'Step 1 | loss:1.5 lr:0.0003 tokens_per_second_per_gpu:512.25 \nStep 2 | loss:nan lr:0.0003 tokens_per_second_per_gpu:500 \n';
const second = '{"step": 2, "loss": 1.25, "lr": 0.0003}\n{"step": 3, "loss": 1, "lr": 0.0002}\n';

test('its configuration, and a log for every start', () => {
  const files = [
    file('torchtune_config.yaml', config),
    file('logs/log_1750000000.txt', first),
    file('logs/log_1750003600.jsonl', second),
    file('epoch_0/model.safetensors', 'weights'),
  ];
  expect(readRun(torchtuneReader, files)).toEqual({
    facts: {
      framework: 'torchtune',
      startedAt: '2025-06-15T15:06:40.000Z',
      config: {
        epochs: 1,
        batchSize: 2,
        learningRate: 0.0003,
        seed: 3,
        raw: expect.objectContaining({ seed: 3 }),
      },
      results: {
        stepsCompleted: 3,
        metrics: { loss: 1, lr: 0.0002, tokens_per_second_per_gpu: 500 },
        checkpointsSaved: [{ path: 'epoch_0', bytes: 7, savedAt: '2025-06-15T15:06:40.000Z' }],
      },
      history: {
        columns: ['step', 'loss', 'lr', 'tokens_per_second_per_gpu'],
        rows: [
          [1, 1.5, 0.0003, 512.25],
          [2, 1.25, 0.0003, 500],
          [3, 1, 0.0002, null],
        ],
      },
    },
    provenance: expect.objectContaining({
      'session.startedAt': 'logs/log_1750000000.txt',
      'results.stepsCompleted': 'logs/log_1750003600.jsonl',
      'results.metrics.tokens_per_second_per_gpu': 'logs/log_1750000000.txt',
    }),
    documents: {},
    warnings: [],
    unread: [],
  });
});

test('lines that are no step are counted', () => {
  const { facts, warnings } = readRun(torchtuneReader, [
    file('log_1750000000.txt', `hello\n${first}Step x | loss:1\n{"loss": 1}\n`),
  ]);
  expect(facts.history?.rows).toEqual([
    [1, 1.5, 0.0003, 512.25],
    [2, null, 0.0003, 500],
  ]);
  expect(warnings).toEqual(['log_1750000000.txt: lines that are no step left out: 3']);
});

test('a log without a step says nothing', () => {
  expect(readRun(torchtuneReader, [file('log_1750000000.txt', 'epoch 1 loss 2\n')]).facts).toEqual({});
});

test.each<[string, string, boolean]>([
  ['torchtune_config.yaml', config, true],
  ['torchtune_config.yaml', 'epochs: 1\n', false],
  ['log_1750000000.txt', first, true],
  ['log_1750000000.txt', '12:00 starting\n', false],
  ['logs/log_1750000000.jsonl', second, true],
])('%s is believed by what is in it: %#', (path, content, isOne) => {
  const proof = torchtuneReader.recognise(directoryOf([{ path }]))?.proof;
  expect(proof?.paths).toEqual([path]);
  expect(proof?.believe(Buffer.from(content), path)).toBe(isOne);
});

test('a checkpoint with its copy of the configuration is no run', () => {
  expect(
    torchtuneReader.recognise(directoryOf([{ path: 'torchtune_config.yaml' }], 'epoch_0')),
  ).toBeUndefined();
});

obeysReaderLaws(torchtuneReader, {
  both: [
    file('torchtune_config.yaml', config),
    file('log_1750000000.txt', first),
    file('log_1750003600.jsonl', second),
  ],
});

describe.runIf(hasSamples)('files in the shape of its logger', () => {
  test.each([
    ['log_1734708879.txt', ['step', 'loss', 'lr', 'tokens_per_second_per_gpu'], [1, 1.69, 0.0003, 512.3]],
    ['log_1734708879.jsonl', ['step', 'loss', 'lr'], [1, 1.69, 0.0003]],
  ])('%s', (path, columns, row) => {
    const { facts } = readRun(torchtuneReader, [sample('synthetic', new RegExp(`^${path}$`), path)], {
      chunkBytes: 11,
    });
    expect(facts.startedAt).toBe('2024-12-20T15:34:39.000Z');
    expect(facts.results).toMatchObject({ stepsCompleted: 20, metrics: { loss: 1.5 } });
    expect([facts.history?.columns, facts.history?.rows[0], facts.history?.rows.length]).toEqual([
      columns,
      row,
      20,
    ]);
  });
});
