import { describe, expect, test } from 'vitest';
import { lightningReader } from '../../src/formats/lightning.ts';
import type { Follower } from '../../src/formats/reader.ts';
import { type RunFile, readRun } from '../support/read-run.ts';
import { obeysReaderLaws } from '../support/reader-laws.ts';
import { hasSamples, sample, sampleNames } from '../support/real-samples.ts';
import { directoryOf } from '../support/run-directory.ts';

function file(path: string, content: string): RunFile {
  return { path, bytes: Buffer.from(content), modifiedAtMs: 1_750_000_000_000 };
}

const metrics = [
  'epoch,step,train_loss_epoch,train_loss_step,val_loss',
  '0,49,,2.5,',
  '0,99,,2.25,',
  '0,99,,,1.75',
  '0,99,2.375,,',
  '1,149,,nan,',
  '',
].join('\r\n');
const hparams = [
  'batch_size: 32',
  'lr: 1.0e-03',
  'max_epochs: 20',
  'seed: 7',
  'model: !!python/object:train.Model',
  '  depth: 4',
  'model_name: org/base',
  '',
].join('\n');

test('metrics and hyperparameters of one version', () => {
  const files = [
    file('metrics.csv', metrics),
    file('hparams.yaml', hparams),
    file('checkpoints/epoch=0-step=100.ckpt', 'pickle'),
  ];
  expect(readRun(lightningReader, files)).toEqual({
    facts: {
      framework: 'pytorch-lightning',
      config: {
        epochs: 20,
        batchSize: 32,
        learningRate: 0.001,
        seed: 7,
        model: 'org/base',
        raw: {
          batch_size: 32,
          lr: 0.001,
          max_epochs: 20,
          seed: 7,
          model: { depth: 4 },
          model_name: 'org/base',
        },
      },
      results: {
        stepsCompleted: 150,
        epochsCompleted: 1,
        metrics: { train_loss_epoch: 2.375, train_loss_step: null, val_loss: 1.75 },
        checkpointsSaved: [
          { path: 'checkpoints/epoch=0-step=100.ckpt', bytes: 6, savedAt: '2025-06-15T15:06:40.000Z' },
        ],
      },
      history: {
        columns: ['step', 'epoch', 'train_loss_step', 'val_loss', 'train_loss_epoch'],
        rows: [
          [49, 0, 2.5, null, null],
          [99, 0, 2.25, 1.75, 2.375],
          [149, 1, null, null, null],
        ],
      },
    },
    provenance: expect.objectContaining({
      'session.framework': 'metrics.csv',
      'config.learningRate': 'hparams.yaml',
      'results.checkpointsSaved': 'checkpoints/epoch=0-step=100.ckpt',
    }),
    documents: {},
    warnings: [
      'hparams.yaml: tags that are not acted upon: 1',
      'metrics.csv: NaN or Infinity read as null: 1',
    ],
    unread: [],
  });
});

test('nothing says that a training has ended', () => {
  const files = [file('metrics.csv', metrics), file('checkpoints/last.ckpt', 'pickle')];
  expect(readRun(lightningReader, files).ending).toBeUndefined();
});

describe('a file that is written anew with a new column', () => {
  const files = [{ path: 'metrics.csv', sizeBytes: 1, modifiedAtMs: 0 }];

  function assess(...contents: string[]) {
    const [selection] = lightningReader.select(files);
    if (selection?.manner !== 'append') throw new Error('metrics.csv is not followed');
    const segments = contents.map((content): Follower => {
      const follower = selection.follow();
      follower.push(Buffer.from(content));
      return follower;
    });
    return lightningReader.assess([{ path: 'metrics.csv', sizeBytes: 1, modifiedAtMs: 0, segments }], {
      name: 'version_0',
      files,
    }).facts;
  }

  const first = 'epoch,step,loss\r\n0,9,3\r\n';
  const second = 'epoch,loss,step,val\r\n0,3,9,\r\n0,,9,4\r\n';

  test('holds all rows again: only the last writing counts', () => {
    expect(assess(first, second).history).toEqual({
      columns: ['step', 'epoch', 'loss', 'val'],
      rows: [[9, 0, 3, 4]],
    });
    expect(assess(first, second)).toEqual(assess(second));
  });

  test('is what it was before, while the new writing has no row yet', () => {
    expect(assess(first, 'epoch,loss')).toEqual(assess(first));
    expect(assess(first, '')).toEqual(assess(first));
  });
});

describe('what only has the name', () => {
  test.each([
    ['another CSV', 'gpu,utilisation\n1,50\n'],
    ['an empty file', ''],
    ['a header alone', 'epoch,step,loss\n'],
    ['something else', '\u0000\u0001\u0002'],
  ])('says nothing: %s', (_, content) => {
    expect(readRun(lightningReader, [file('metrics.csv', content)]).facts).toEqual({});
  });
});

test('rows with more cells than names, and lines that are too long, are counted', () => {
  const strange = `epoch,step,loss\n0,1,2,3,4\n0,2,${'9'.repeat(300_000)}\n0,3,1\n`;
  const { facts, warnings } = readRun(lightningReader, [file('metrics.csv', strange)]);
  expect(facts.history?.rows).toEqual([
    [1, 0, 2],
    [3, 0, 1],
  ]);
  expect(warnings).toEqual([
    'metrics.csv: lines of more than 262144 characters left out: 1',
    'metrics.csv: rows with more cells than the header has names: 1',
  ]);
});

describe('a directory', () => {
  test.each<[string, string, string[], object | undefined]>([
    ['version_3', 'with metrics', ['metrics.csv'], { confidence: 'certain', reason: 'metrics.csv' }],
    [
      'version_3',
      'that died before its first metrics',
      ['hparams.yaml'],
      { confidence: 'certain', reason: 'hparams.yaml' },
    ],
    ['version_3', 'of the other logger', ['events.out.tfevents.1700000000.h.1.0'], { confidence: 'certain' }],
    ['version_3', 'with checkpoints', ['checkpoints/last.ckpt'], { confidence: 'certain' }],
    ['version_3', 'without any of it', ['notes.txt'], undefined],
    ['mine', 'with metrics', ['metrics.csv'], { confidence: 'likely', proof: { paths: ['metrics.csv'] } }],
    ['mine', 'with hyperparameters alone', ['hparams.yaml'], undefined],
    ['lightning_logs', 'with versions in it', ['version_0/metrics.csv'], undefined],
  ])('%s %s', (name, _, paths, expected) => {
    const found = lightningReader.recognise(
      directoryOf(
        paths.map((path) => ({ path })),
        name,
      ),
    );
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject(expected);
  });

  test('of another name is believed by the columns that Lightning adds', () => {
    const proof = lightningReader.recognise(directoryOf([{ path: 'metrics.csv' }]))?.proof;
    expect(proof?.believe(Buffer.from('\ufeffloss, epoch ,step\r\n1'), 'metrics.csv')).toBe(true);
    expect(proof?.believe(Buffer.from('epoch,loss\n'), 'metrics.csv')).toBe(false);
  });
});

obeysReaderLaws(lightningReader, {
  version: [file('metrics.csv', metrics), file('hparams.yaml', hparams), file('checkpoints/last.ckpt', 'x')],
});

describe.runIf(hasSamples)('files of real runs', () => {
  test.each(sampleNames('lightning', /./))('%s is read, cut anywhere', (name) => {
    const one = sample(
      'lightning',
      new RegExp(`^${name.replaceAll('.', '\\.')}$`),
      name.includes('metrics') ? 'metrics.csv' : 'hparams.yaml',
    );
    const whole = readRun(lightningReader, [one]);
    expect(whole.facts.framework).toBe('pytorch-lightning');
    expect(whole.unread).toEqual([]);
    expect(readRun(lightningReader, [one], { chunkBytes: 101 })).toEqual(whole);
  });

  test.each<[RegExp, object, number, (number | null)[]]>([
    [
      /Andreus00.*version_0__metrics/,
      { stepsCompleted: 100, epochsCompleted: 0, metrics: { train_loss_batch: 26.880126953125 } },
      2,
      [49, 0, 28.519615173339844],
    ],
    [
      /Andreus00.*version_2__metrics/,
      { stepsCompleted: 1300, epochsCompleted: 0 },
      26,
      [49, 0, 28.769100189208984],
    ],
    [
      /JulioC.*metrics/,
      { stepsCompleted: 20, epochsCompleted: 9, metrics: { val_loss: 1.876805067062378 } },
      10,
      [1, 0, 2.2744691371917725],
    ],
    [
      /LiuTaowen.*metrics/,
      { stepsCompleted: 20, metrics: { train_mae_step: 0.9867267608642578 } },
      2,
      [9, 0, 32, 6.5751519203186035],
    ],
    [
      /0Xero7.*d4575f90/,
      { stepsCompleted: 5740, epochsCompleted: 20, metrics: { train_loss_epoch: 5.181718826293945 } },
      134,
      [49, 0, 8.620475769042969],
    ],
    [
      /0Xero7.*HEAD/,
      { stepsCompleted: 140_740, epochsCompleted: 10, metrics: { epoch_time: 2419.625244140625 } },
      707,
      [49, 0, 7.628580570220947],
    ],
  ])('%s', (name, results, rows, first) => {
    const { facts } = readRun(lightningReader, [sample('lightning', name, 'metrics.csv')]);
    expect(facts.results).toMatchObject(results);
    expect(facts.history?.rows).toHaveLength(rows);
    expect(facts.history?.rows[0]?.slice(0, first.length)).toEqual(first);
  });

  test('hyperparameters with and without content', () => {
    const tagged = readRun(lightningReader, [sample('lightning', /LiuTaowen.*hparams/, 'hparams.yaml')]);
    expect(tagged.facts.config).toMatchObject({
      learningRate: 0.0001,
      raw: { warmup_steps: 1000, weight_decay: 1e-5 },
    });
    expect(tagged.facts.config).not.toHaveProperty('maxSteps');
    const none = readRun(lightningReader, [sample('lightning', /version_3__hparams/, 'hparams.yaml')]);
    expect(none.facts).toEqual({ framework: 'pytorch-lightning' });
  });
});
