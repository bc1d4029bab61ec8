import { describe, expect, test } from 'vitest';
import { kohyaReader } from '../../src/formats/kohya.ts';
import { type RunFile, readRun } from '../support/read-run.ts';
import { obeysReaderLaws } from '../support/reader-laws.ts';
import { hasSamples, sample } from '../support/real-samples.ts';
import { directoryOf } from '../support/run-directory.ts';
import { safetensorsFile } from '../support/safetensors-file.ts';

const now = 1_750_000_000_000;
const minute = 60_000;
const started = 1_749_996_000;

type Metadata = Readonly<Record<string, string>>;

function metadata(change: Metadata = {}): Metadata {
  return {
    ss_output_name: 'style',
    ss_training_started_at: `${started}.25`,
    ss_training_finished_at: `${started + 3600}.75`,
    ss_learning_rate: '0.0001',
    ss_unet_lr: 'None',
    ss_num_epochs: '10',
    ss_max_train_steps: '1200',
    ss_batch_size_per_device: '2',
    ss_seed: '42',
    ss_sd_model_name: 'base.safetensors',
    ss_sd_scripts_commit_hash: '48d368fa',
    ss_epoch: '10',
    ss_steps: '1200',
    ss_tag_frequency: '"'.repeat(5000),
    ...change,
  };
}

function network(name: string, change: Metadata = {}, modifiedAtMs = now, size = {}): RunFile {
  return { path: name, bytes: safetensorsFile(metadata(change), size), modifiedAtMs };
}

function read(...files: RunFile[]) {
  return readRun(kohyaReader, files);
}

const half = network(
  'style-000005.safetensors',
  { ss_epoch: '5', ss_steps: '600', ss_training_finished_at: `${started + 1800}` },
  now - 30 * minute,
);
const final = network('style.safetensors');
const state: RunFile = {
  path: 'style-state/train_state.json',
  bytes: Buffer.from('{"current_epoch": 10, "current_step": 1200}'),
  modifiedAtMs: now,
};

obeysReaderLaws(kohyaReader, { running: [half], whole: [half, final, state] });

test('a network says how it was trained', () => {
  const { facts, provenance, warnings, ending } = read(half, final, state);
  expect(facts).toMatchObject({
    framework: 'sd-scripts',
    version: '48d368fa',
    startedAt: '2025-06-15T14:00:00.250Z',
    config: {
      epochs: 10,
      maxSteps: 1200,
      batchSize: 2,
      learningRate: 0.0001,
      seed: 42,
      model: 'base.safetensors',
    },
    results: { epochsCompleted: 10, stepsCompleted: 1200, durationSeconds: 3600.5 },
  });
  expect(facts.config?.raw).toMatchObject({ ss_num_epochs: '10', ss_unet_lr: 'None' });
  expect(facts.config?.raw).not.toHaveProperty('ss_tag_frequency');
  expect(new Set(Object.values(provenance))).toEqual(new Set(['style.safetensors']));
  expect(ending).toEqual({
    status: 'completed',
    by: 'style.safetensors',
    endedAt: '2025-06-15T15:00:00.750Z',
  });
  expect(warnings).toEqual([]);
});

test('values that are no values', () => {
  const { facts } = read(
    network('style.safetensors', {
      ss_learning_rate: 'None',
      ss_unet_lr: '5e-5',
      ss_seed: 'None',
      ss_num_epochs: '9223372036854775807',
      ss_sd_scripts_commit_hash: '(unknown)',
      ss_batch_size_per_device: 'None',
      ss_datasets: '[{"batch_size_per_device": 3}, {"batch_size_per_device": 3}]',
    }),
  );
  expect(facts.version).toBeUndefined();
  expect(facts.config).toMatchObject({ learningRate: 5e-5, batchSize: 3, maxSteps: 1200 });
  expect(facts.config).not.toHaveProperty('seed');
  expect(facts.config).not.toHaveProperty('epochs');
});

describe('no end is told by', () => {
  test.each<[string, RunFile[]]>([
    ['a network with a suffix, though it says when it was finished', [half]],
    ['a step', [network('style-step00000600.safetensors')]],
    [
      'a last network of which tensors are missing',
      [half, network('style.safetensors', {}, now, { dataBytes: 64, writtenBytes: 60 })],
    ],
    [
      'the last network of the training before',
      [
        final,
        network(
          'style-000001.safetensors',
          { ss_training_started_at: `${started + 7200}`, ss_steps: '120' },
          now + 1,
        ),
      ],
    ],
    [
      'a last network that another one is beyond',
      [final, network('style-000020.safetensors', { ss_steps: '2400' }, now + 1)],
    ],
    [
      'a last network after which the training wrote on',
      [final, { path: 'train.log', bytes: Buffer.from('x'), modifiedAtMs: now + 2 * minute }],
    ],
    ['a network of another name', [network('renamed.safetensors')]],
  ])('%s', (_, files) => {
    expect(read(...files).ending).toBeUndefined();
  });
});

test('of several trainings in one directory the last speaks, and it is said', () => {
  const { facts, warnings } = read(
    final,
    network('style-000001.safetensors', { ss_training_started_at: `${started + 7200}`, ss_steps: '120' }),
  );
  expect(facts.results?.stepsCompleted).toBe(120);
  expect(warnings).toEqual(['style-000001.safetensors: networks of 2 trainings, the last is read']);
});

test('a state beyond the last network is told', () => {
  const { warnings } = read(half, { ...state, modifiedAtMs: now });
  expect(warnings).toEqual([
    'style-state/train_state.json: a state at step 1200, beyond the last network at 600',
  ]);
});

test('of a header that is too long the metadata is read, and the end waits a minute', () => {
  const change = { zz_filler: '\\" '.repeat(500_000) };
  const { facts, ending } = read(network('style.safetensors', change));
  expect(facts.config).toMatchObject({ epochs: 10, seed: 42 });
  expect(ending).toMatchObject({ status: 'completed', quietMs: minute });
});

describe('what only has the name says nothing', () => {
  test.each<[string, Buffer]>([
    [
      'a Git LFS pointer',
      Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n'),
    ],
    ['two bytes', Buffer.from('\r\n')],
    ['a network of another trainer', safetensorsFile({ format: 'pt' })],
    ['one without metadata', safetensorsFile(undefined)],
    ['a header of 2^63 bytes', Buffer.from('ffffffffffffff7f7b7d', 'hex')],
  ])('%s', (_, bytes) => {
    const { facts, ending, warnings, unread } = read({ path: 'style.safetensors', bytes });
    expect({ facts, ending, warnings, unread }).toEqual({ facts: {}, warnings: [], unread: [] });
  });

  test('models of other libraries and checkpoints are not opened', () => {
    const paths = [
      'model.safetensors',
      'model-00001-of-00002.safetensors',
      'adapter_model.safetensors',
      'checkpoint-5/x.safetensors',
      'a/b/c.safetensors',
    ];
    expect(kohyaReader.select(paths.map((path) => ({ path, sizeBytes: 9, modifiedAtMs: now })))).toEqual([]);
  });
});

test('a directory is a run by what its networks begin with', () => {
  const found = kohyaReader.recognise(directoryOf([half, final]));
  expect(found).toMatchObject({ confidence: 'likely', proof: { paths: [half.path, final.path] } });
  expect(found?.proof?.believe(half.bytes.subarray(0, 4096), half.path)).toBe(true);
  expect(found?.proof?.believe(safetensorsFile({ format: 'pt' }), '')).toBe(false);
  expect(kohyaReader.recognise(directoryOf([{ path: 'model.safetensors' }]))).toBeUndefined();
});

test.runIf(hasSamples)('networks as the writers write them', () => {
  const { facts, ending } = read(sample('synthetic', /my_lora/, 'my_lora.safetensors', now));
  expect(facts).toMatchObject({
    startedAt: '2024-09-18T06:07:54.921Z',
    config: {
      epochs: 10,
      maxSteps: 1200,
      batchSize: 2,
      learningRate: 0.0001,
      seed: 42,
      model: 'v1-5-pruned-emaonly.safetensors',
    },
    results: { epochsCompleted: 10, stepsCompleted: 1200 },
  });
  expect(ending).toMatchObject({ status: 'completed', endedAt: '2024-09-18T06:46:40.500Z' });
  for (const wanted of [/yash-model__lora\.safetensors/, /Much7835/, /public-loras__lora\.safetensors/]) {
    const other = read(sample('lora', wanted, 'lora.safetensors'));
    expect([other.facts, other.warnings, other.unread]).toEqual([{}, [], []]);
  }
});
