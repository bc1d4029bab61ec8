import { describe, expect, test } from 'vitest';
import { diffusersReader } from '../../src/formats/diffusers.ts';
import { eventFile } from '../support/event-file.ts';
import { type RunFile, readRun } from '../support/read-run.ts';
import { obeysReaderLaws } from '../support/reader-laws.ts';
import { hasSamples, sample } from '../support/real-samples.ts';
import { directoryOf } from '../support/run-directory.ts';

const ended = 1_750_000_000_000;
const minute = 60_000;

function file(path: string, content: string | Buffer, modifiedAtMs = ended): RunFile {
  return { path, bytes: Buffer.from(content), modifiedAtMs };
}

function safetensors(): Buffer {
  const header = Buffer.from('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(4)]);
}

const hparams = [
  'dataset_name: org/pictures',
  'learning_rate: 0.0001',
  'max_train_steps: 1000',
  'num_train_epochs: 10',
  'pretrained_model_name_or_path: org/diffusion',
  'seed: 9',
  'train_batch_size: 4',
  '',
].join('\n');
const hparamsPath = 'logs/text2image-fine-tune/1749990000.25/hparams.yml';
const running = [
  file(hparamsPath, hparams, ended - 60 * minute),
  file('checkpoint-500/random_states_0.pkl', 'random', ended - 5 * minute),
  file('checkpoint-500/optimizer.bin', 'optimizer', ended - 5 * minute),
];
const weights = file('pytorch_lora_weights.safetensors', safetensors());

test('parameters, checkpoints, and the weights that are written last', () => {
  const whole = readRun(diffusersReader, [...running, weights]);
  expect(whole).toMatchObject({
    facts: {
      framework: 'diffusers',
      startedAt: '2025-06-15T12:20:00.000Z',
      config: {
        epochs: 10,
        batchSize: 4,
        learningRate: 0.0001,
        maxSteps: 1000,
        seed: 9,
        model: 'org/diffusion',
        dataset: 'org/pictures',
      },
      results: { stepsCompleted: 500, checkpointsSaved: [{ path: 'checkpoint-500', bytes: 15 }] },
    },
    ending: { status: 'completed', by: 'pytorch_lora_weights.safetensors' },
    warnings: [],
    unread: [],
  });
});

test('a last validation, and what is printed of it, is no later training', () => {
  const log =
    'Steps: 100%|█| 500/500 [09:00<00:00]\nModel weights saved in out\nLoading pipeline components\n';
  const files = [...running, weights, file('train.log', log, ended + 5 * minute)];
  expect(readRun(diffusersReader, files).ending).toEqual({ status: 'completed', by: weights.path });
});

describe('no end', () => {
  test.each<[string, RunFile[]]>([
    ['before the weights are there', running],
    [
      'with a pointer of Git LFS',
      [...running, file(weights.path, `version https://git-lfs.github.com/spec/v1\n${'x'.repeat(90)}`)],
    ],
    ['with two bytes', [...running, file(weights.path, '\r\n')]],
    ['with half of the header', [...running, file(weights.path, weights.bytes.subarray(0, 20))]],
    [
      'with a later checkpoint',
      [...running, weights, file('checkpoint-50/optimizer.bin', 'x', ended + minute)],
    ],
    [
      'with a later start',
      [...running, weights, file('logs/text2image-fine-tune/1750000100.5/hparams.yml', hparams)],
    ],
    [
      'with a later event file',
      [
        ...running,
        weights,
        file('logs/text2image-fine-tune/events.out.tfevents.1750000100.h.1.0', eventFile([])),
      ],
    ],
    ['with weights that are cut off', [...running, file(weights.path, weights.bytes.subarray(0, -1))]],
    [
      'with a later run of wandb',
      [...running, weights, file('wandb/run-20250615_150000-abc/run-abc.wandb', 'x', ended + minute)],
    ],
    [
      'with a later log of a training',
      [
        ...running,
        weights,
        file('train.log', 'Steps:   1%|▏ | 5/500 [00:05<09:00, loss=0.1]', ended + minute),
      ],
    ],
    ['with weights alone: they may have been downloaded', [weights]],
  ])('%s', (_, files) => {
    expect(readRun(diffusersReader, files).ending).toBeUndefined();
  });
});

test('the newest parameters count, the first start', () => {
  const later = file(
    'logs/text2image-fine-tune/1749999000/hparams.yml',
    hparams.replace('seed: 9', 'seed: 10'),
  );
  const { facts } = readRun(diffusersReader, [...running, later]);
  expect(facts.config?.seed).toBe(10);
  expect(facts.startedAt).toBe('2025-06-15T12:20:00.000Z');
});

test('checkpoints of a Trainer are none of its own', () => {
  const { facts } = readRun(diffusersReader, [
    file('checkpoint-5/trainer_state.json', '{}'),
    file('checkpoint-5/scheduler.bin', ''),
  ]);
  expect(facts).toEqual({});
});

test.each<[string, string[], string | undefined]>([
  ['parameters of a tracker', [hparamsPath], hparamsPath],
  ['a state that accelerate saved', ['checkpoint-500/random_states_0.pkl'], 'checkpoint-500'],
  [
    'a checkpoint of a Trainer',
    ['checkpoint-500/random_states_0.pkl', 'checkpoint-500/trainer_state.json'],
    undefined,
  ],
  ['weights alone', ['pytorch_lora_weights.safetensors'], undefined],
  ['a log of another kind', ['logs/run/hparams.yml'], undefined],
])('a directory with %s', (_, paths, reason) => {
  expect(diffusersReader.recognise(directoryOf(paths.map((path) => ({ path }))))?.reason).toBe(reason);
});

obeysReaderLaws(diffusersReader, { finished: [...running, weights] });

test.runIf(hasSamples)('parameters as a tracker of accelerate writes them', () => {
  const { facts } = readRun(diffusersReader, [
    sample('synthetic', /^hparams\.yml$/, 'logs/train/1700000000.5/hparams.yml'),
  ]);
  expect(facts.startedAt).toBe('2023-11-14T22:13:20.000Z');
  expect(facts.config).toMatchObject({ epochs: 10, batchSize: 4, learningRate: 0.0001, maxSteps: 1000 });
  expect(facts).not.toHaveProperty('framework');
});
