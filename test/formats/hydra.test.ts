import { expect, test } from 'vitest';
import { hydraReader } from '../../src/formats/hydra.ts';
import { readRun } from '../support/read-run.ts';
import { obeysReaderLaws } from '../support/reader-laws.ts';
import { directoryOf } from '../support/run-directory.ts';

const file = (path: string, text: string) => ({ path, bytes: Buffer.from(text) });
const config = file(
  '.hydra/config.yaml',
  'seed: 7\nmodel:\n  name: mlp\n  width: 64\noptim:\n  lr: 0.1\ntrainer:\n  max_epochs: 5\ndata:\n  batch_size: 32\n',
);
const overrides = file('.hydra/overrides.yaml', '- optim.lr=0.1\n- +x=1\n');

obeysReaderLaws(hydraReader, { run: [config, overrides] });

test('the configuration and what was said on the command line', () => {
  const { facts, provenance, ending } = readRun(hydraReader, [config, overrides, file('train.log', 'x')]);
  expect(facts).toEqual({
    config: {
      epochs: 5,
      batchSize: 32,
      learningRate: 0.1,
      seed: 7,
      raw: {
        seed: 7,
        model: { name: 'mlp', width: 64 },
        optim: { lr: 0.1 },
        trainer: { max_epochs: 5 },
        data: { batch_size: 32 },
        hydra: { overrides: ['optim.lr=0.1', '+x=1'] },
      },
    },
  });
  expect(provenance).toMatchObject({
    'config.raw': '.hydra/config.yaml',
    'config.raw.hydra': '.hydra/overrides.yaml',
  });
  expect(ending).toBeUndefined();
});

test('where two places disagree, no field is taken', () => {
  const both = file('.hydra/config.yaml', 'a:\n  lr: 0.1\nb:\n  lr: 0.2\n');
  expect(readRun(hydraReader, [both]).facts.config).toEqual({ raw: { a: { lr: 0.1 }, b: { lr: 0.2 } } });
});

test('a configuration of more than 64 KiB is left out, and said to be', () => {
  const huge = file('.hydra/config.yaml', `seed: 7\nx: ${'y'.repeat(70_000)}\n`);
  const { facts, warnings } = readRun(hydraReader, [huge]);
  expect(facts.config).toEqual({ seed: 7 });
  expect(warnings).toEqual([
    expect.stringMatching(/^\.hydra\/config\.yaml: the configuration of \d+ bytes is left out/),
  ]);
});

test('a directory is a run by its .hydra', () => {
  expect(hydraReader.recognise(directoryOf([config]))).toMatchObject({ confidence: 'likely' });
  expect(hydraReader.recognise(directoryOf([{ path: '.hydra/hydra.yaml' }]))).toBeUndefined();
  expect(
    hydraReader.recognise(directoryOf([{ path: 'multirun.yaml' }, { path: '0/.hydra/config.yaml' }])),
  ).toBeUndefined();
});

test.each([
  ['half-written', '', 'no configuration of Hydra: no mapping'],
  ['a list', '- 1\n', 'no configuration of Hydra: no mapping'],
])('a configuration that is %s is tried again', (_, text, message) => {
  const { facts, unread } = readRun(hydraReader, [file('.hydra/config.yaml', text)]);
  expect({ facts, unread }).toEqual({ facts: {}, unread: [`.hydra/config.yaml: ${message}`] });
});
