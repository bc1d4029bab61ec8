import { describe, expect, test } from 'vitest';
import { aiToolkitReader } from '../../src/formats/ai-toolkit.ts';
import { type RunFile, readRun } from '../support/read-run.ts';
import { obeysReaderLaws } from '../support/reader-laws.ts';
import { hasSamples, sample } from '../support/real-samples.ts';
import { directoryOf } from '../support/run-directory.ts';
import { safetensorsFile } from '../support/safetensors-file.ts';

const now = 1_750_000_000_000;
const minute = 60_000;

function config(steps = 2000, name = 'cat'): RunFile {
  const document = {
    job: 'extension',
    config: {
      name,
      process: [
        {
          type: 'sd_trainer',
          datasets: [{ folder_path: 'images' }],
          train: { batch_size: 2, steps, lr: 1e-4 },
          model: { name_or_path: 'base' },
          sample: { seed: 42 },
        },
      ],
    },
    meta: { name: '[name]', version: '1.0' },
  };
  return {
    path: 'config.yaml',
    bytes: Buffer.from(JSON.stringify(document, null, 2)),
    modifiedAtMs: now - 90 * minute,
  };
}

function network(path: string, step: number, modifiedAtMs = now, size = {}): RunFile {
  const training_info = JSON.stringify({ step, epoch: Math.floor(step / 100) });
  return {
    path,
    bytes: safetensorsFile({ name: 'cat', training_info, ss_output_name: 'cat' }, size),
    modifiedAtMs,
  };
}

const numbered = network('cat_000001500.safetensors', 1500, now - 20 * minute);
const final = network('cat.safetensors', 2000);

function read(...files: RunFile[]) {
  return readRun(aiToolkitReader, files);
}

obeysReaderLaws(aiToolkitReader, { running: [config(), numbered], whole: [config(), numbered, final] });

test('the job and how far it came', () => {
  const { facts, provenance, ending } = read(config(), numbered);
  expect(facts).toMatchObject({
    framework: 'ai-toolkit',
    config: {
      batchSize: 2,
      learningRate: 1e-4,
      maxSteps: 2000,
      model: 'base',
      dataset: 'images',
      raw: { job: 'extension' },
    },
    results: { stepsCompleted: 1500, epochsCompleted: 15 },
  });
  // The seed of its samples is not that of the training.
  expect(facts.config).not.toHaveProperty('seed');
  expect(provenance).toMatchObject({
    'config.maxSteps': 'config.yaml',
    'results.stepsCompleted': numbered.path,
  });
  expect(ending).toBeUndefined();
});

test('the network without a number is the end', () => {
  expect(read(config(), numbered, final).ending).toEqual({ status: 'completed', by: 'cat.safetensors' });
  expect(read(config(), network('cat.safetensors', 1999)).ending?.status).toBe('completed');
});

describe('no end is told by', () => {
  test.each<[string, RunFile[]]>([
    ['a network with a number', [config(), network('cat_000002000.safetensors', 2000)]],
    [
      'a last network of which tensors are missing',
      [config(), network('cat.safetensors', 2000, now, { dataBytes: 64, writtenBytes: 3 })],
    ],
    ['the last network of a job that was resumed with more steps', [config(3000), numbered, final]],
    [
      'a last network that another one is beyond',
      [config(), final, network('cat_000002500.safetensors', 2500)],
    ],
    [
      'a last network after which the training wrote on',
      [config(), final, { path: 'log.txt', bytes: Buffer.from('x'), modifiedAtMs: now + 2 * minute }],
    ],
    ['a network of another name', [config(), network('lora.safetensors', 2000)]],
  ])('%s', (_, files) => {
    expect(read(...files).ending).toBeUndefined();
  });
});

describe('what only has the name says nothing', () => {
  test.each<[string, string]>([
    ['a configuration of something else', 'lr: 1\n'],
    ['a job that does not train', 'job: generate\nconfig: {name: a, process: [{type: x}]}\n'],
  ])('%s', (_, text) => {
    const { facts, warnings, unread } = read({ path: 'config.yaml', bytes: Buffer.from(text) }, numbered);
    expect([facts, warnings, unread]).toEqual([{}, [], []]);
  });

  test('a config.yaml alone is not even opened', () => {
    expect(aiToolkitReader.select([{ path: 'config.yaml', sizeBytes: 9, modifiedAtMs: now }])).toEqual([]);
  });

  test('the database of losses is left alone', () => {
    const files = ['config.yaml', 'loss_log.db', 'loss_log.db-wal'].map((path) => ({
      path,
      sizeBytes: 9,
      modifiedAtMs: now,
    }));
    expect(aiToolkitReader.select(files).map(({ path }) => path)).toEqual(['config.yaml']);
  });
});

test('a directory is a run by its job and what lies beside it', () => {
  const found = aiToolkitReader.recognise(directoryOf([config(), numbered]));
  expect(found).toMatchObject({ confidence: 'likely', proof: { paths: ['config.yaml'] } });
  expect(found?.proof?.believe(config().bytes, '')).toBe(true);
  expect(found?.proof?.believe(Buffer.from('lr: 1\nconfig: x\n'), '')).toBe(false);
  expect(aiToolkitReader.recognise(directoryOf([config()]))).toBeUndefined();
});

test.runIf(hasSamples)('a real job, with networks of others beside it', () => {
  const { facts, ending, unread } = read(
    sample('lora', /yash-model__config\.yaml/, 'config.yaml'),
    sample('lora', /public-loras__lora\.safetensors/, 'flux_train_replicate.safetensors'),
    sample('lora', /yash-model__lora\.safetensors/, 'lora.safetensors'),
    sample('lora', /Much7835/, 'Much7835.safetensors'),
  );
  expect(facts).toMatchObject({
    config: {
      batchSize: 1,
      learningRate: 0.0004,
      maxSteps: 2800,
      model: 'FLUX.1-dev',
      dataset: 'input_images',
    },
    results: { stepsCompleted: 1000, epochsCompleted: 8 },
  });
  // Of that network only the header was kept.
  expect({ ending, unread }).toEqual({ ending: undefined, unread: [] });
});
