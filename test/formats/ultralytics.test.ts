import { describe, expect, test } from 'vitest';
import { ultralyticsReader } from '../../src/formats/ultralytics.ts';
import { type RunFile, readRun } from '../support/read-run.ts';
import { obeysReaderLaws } from '../support/reader-laws.ts';
import { hasSamples, sample } from '../support/real-samples.ts';
import { directoryOf } from '../support/run-directory.ts';

const now = 1_750_000_000_000;
const minute = 60_000;

function file(path: string, text: string, modifiedAtMs = now): RunFile {
  return { path, bytes: Buffer.from(text), modifiedAtMs };
}

function args(
  change: Readonly<Record<string, string | number>> = {},
  modifiedAtMs = now - 90 * minute,
): RunFile {
  const values = {
    task: 'detect',
    mode: 'train',
    model: 'small.pt',
    data: 'd.yaml',
    epochs: 3,
    batch: 16,
    lr0: 0.01,
    seed: 7,
    ...change,
  };
  return file(
    'args.yaml',
    Object.entries(values)
      .map(([key, value]) => `${key}: ${value}\n`)
      .join(''),
    modifiedAtMs,
  );
}

const header = 'epoch,time,train/box_loss,metrics/mAP50(B)';
const rows = ['1,10.5,2.5,0.25', '2,20.5,2.25,0.5', '3,30.5,2,0.75'];

function results(lines: readonly string[], modifiedAtMs = now): RunFile {
  return file('results.csv', `${lines.join('\n')}\n`, modifiedAtMs);
}

function read(...files: RunFile[]) {
  return readRun(ultralyticsReader, files);
}

const padded = [
  '                  epoch,         train/box_loss,   metrics/mAP50(B)',
  '                      0,                    2.5,               0.25',
  '                      1,                   2.25,                nan',
];

obeysReaderLaws(ultralyticsReader, {
  new: [args(), results([header, ...rows]), file('train.log', '3 epochs completed in 0.009 hours.\n')],
  old: [args({ epochs: 2, batch: -1 }), results(padded)],
});

test('arguments and results of a whole run', () => {
  const { facts, provenance, ending, warnings } = read(args(), results([header, ...rows]));
  expect(facts).toEqual({
    framework: 'ultralytics',
    config: {
      epochs: 3,
      batchSize: 16,
      learningRate: 0.01,
      seed: 7,
      model: 'small.pt',
      dataset: 'd.yaml',
      raw: {
        task: 'detect',
        mode: 'train',
        model: 'small.pt',
        data: 'd.yaml',
        epochs: 3,
        batch: 16,
        lr0: 0.01,
        seed: 7,
      },
    },
    results: {
      epochsCompleted: 3,
      durationSeconds: 30.5,
      metrics: { 'train/box_loss': 2, 'metrics/mAP50(B)': 0.75 },
    },
    history: {
      columns: ['epoch', 'time', 'train/box_loss', 'metrics/mAP50(B)'],
      rows: [
        [1, 10.5, 2.5, 0.25],
        [2, 20.5, 2.25, 0.5],
        [3, 30.5, 2, 0.75],
      ],
    },
  });
  expect(provenance).toMatchObject({
    'config.epochs': 'args.yaml',
    'results.epochsCompleted': 'results.csv',
  });
  expect(ending).toEqual({ status: 'completed', by: 'results.csv', quietMs: minute });
  expect(warnings).toEqual([]);
});

test('older versions pad, count from 0 and have no time', () => {
  const { facts, ending, warnings } = read(args({ epochs: 2, batch: -1 }), results(padded));
  expect(facts.results).toEqual({ epochsCompleted: 2, metrics: { 'train/box_loss': 2.25 } });
  expect(facts.config?.batchSize).toBeUndefined();
  expect(facts.history?.rows).toEqual([
    [0, 2.5, 0.25],
    [1, 2.25, null],
  ]);
  expect(ending?.status).toBe('completed');
  expect(warnings).toEqual(['results.csv: NaN or Infinity read as null: 1']);
});

test('time that falls is another process: durations add up', () => {
  const { facts } = read(
    args({ epochs: 9 }),
    results([header, '1,100,2,0', '2,200,2,0', '3,50,2,0', '4,120.5,2,0', '5,10,2,0']),
  );
  expect(facts.results).toMatchObject({ durationSeconds: 330.5, epochsCompleted: 5 });
});

test.each<[string, string[]]>([
  ['with their headers', [header, ...rows, header, '1,5,9,0.5']],
  ['without', [header, ...rows, '1,5,9,0.5']],
])('of runs one after the other, %s, the last counts', (_, lines) => {
  const { facts, ending, warnings } = read(args(), results(lines));
  expect(facts.results).toMatchObject({
    epochsCompleted: 1,
    durationSeconds: 5,
    metrics: { 'train/box_loss': 9 },
  });
  expect(facts.history?.rows).toEqual([[1, 5, 9, 0.5]]);
  expect(ending).toBeUndefined();
  expect(warnings).toEqual(['results.csv: 2 runs one after the other, the last is read']);
});

test('an epoch that is trained again after NaN is no new run', () => {
  const { facts, warnings } = read(args(), results([header, ...rows.slice(0, 2), '2,31.5,2.125,0.5']));
  expect(facts.history?.rows).toHaveLength(3);
  expect(facts.results?.epochsCompleted).toBe(2);
  expect(warnings).toEqual([]);
});

test('cells without a name are left out, with a warning', () => {
  const { facts, warnings } = read(args(), results([header, `${rows[0]},7,8`, 'x,1,1,1']));
  expect(facts.history?.rows).toEqual([[1, 10.5, 2.5, 0.25]]);
  expect(warnings).toEqual([
    'results.csv: rows with more cells than the header has names: 1',
    'results.csv: rows without an epoch left out: 1',
  ]);
});

describe('the end', () => {
  const two = results([header, ...rows.slice(0, 2)]);
  const told = (
    modifiedAtMs: number,
    text = '\n2 epochs completed in 0.012 hours.\nOptimizer stripped from last.pt\n',
  ) => file('train.log', text, modifiedAtMs);

  test.each<[string, RunFile[], object]>([
    [
      'results.png, however many epochs there were',
      [args(), two, file('results.png', 'x', now + 5000)],
      { by: 'results.png' },
    ],
    [
      'the line that says how long it took',
      [args(), two, told(now + 5000)],
      { by: 'train.log', quietMs: minute },
    ],
    ['the last epoch', [args(), results([header, ...rows])], { by: 'results.csv', quietMs: minute }],
  ])('is told by %s', (_, files, expected) => {
    expect(read(...files).ending).toEqual({ status: 'completed', ...expected });
  });

  test.each<[string, RunFile[]]>([
    ['an epoch before the last', [args(), two]],
    ['arguments alone', [args(), file('results.png', 'x')]],
    ['a plot of the run before', [args({}, now), two, file('results.png', 'x', now - 20_000)]],
    ['a last epoch before the run was begun anew', [args({}, now + 20_000), results([header, ...rows])]],
    ['a line of the run before', [args(), two, told(now - 20_000)]],
    [
      'a line after which training began again',
      [args(), two, told(now, '2 epochs completed in 0.012 hours.\nStarting training for 9 epochs...\n')],
    ],
    [
      'a line that only quotes it',
      [args(), two, told(now, 'note: 2 epochs completed in 0.012 hours. nice\n')],
    ],
  ])('is not told by %s', (_, files) => {
    expect(read(...files).ending).toBeUndefined();
  });
});

describe('what only has the name', () => {
  test.each([
    ['arguments of a validation', args({ mode: 'val' })],
    ['arguments of something else', file('args.yaml', 'lr: 0.1\n')],
    ['a list', file('args.yaml', '- task\n')],
    ['an empty file', file('args.yaml', '')],
  ])('%s', (_, other) => {
    const { facts, ending } = read(other, results([header, ...rows]), file('results.png', 'x'));
    expect({ facts, ending }).toEqual({ facts: {} });
  });

  test('is no run either', () => {
    const found = ultralyticsReader.recognise(directoryOf([{ path: 'args.yaml' }]));
    expect(found).toMatchObject({ confidence: 'likely', proof: { paths: ['args.yaml'] } });
    expect(found?.proof?.believe(args().bytes, 'args.yaml')).toBe(true);
    expect(found?.proof?.believe(args({ mode: 'predict' }).bytes, 'args.yaml')).toBe(false);
    expect(found?.proof?.believe(Buffer.from('lr: 1\n'), 'args.yaml')).toBe(false);
  });

  test('a table of results alone is one by its columns', () => {
    const table = results([header, ...rows]);
    const proof = ultralyticsReader.recognise(directoryOf([{ path: 'results.csv' }]))?.proof;
    expect(proof?.believe(table.bytes, 'results.csv')).toBe(true);
    expect(proof?.believe(Buffer.from('epoch,name\n1,a\n'), 'results.csv')).toBe(false);
    const { facts, ending } = read(table, file('results.png', 'x'));
    expect({ framework: facts.framework, ending }).toEqual({ framework: 'ultralytics' });
    expect(facts.history?.rows).toHaveLength(rows.length);
    expect(read(results(['epoch,name', '1,2'])).facts).toEqual({});
  });
});

describe.runIf(hasSamples)('files of real runs', () => {
  const run = (wanted: string, withArgs = true) => [
    sample('yolo', new RegExp(`${wanted}__results\\.csv$`), 'results.csv', now),
    ...(withArgs ? [sample('yolo', new RegExp(`${wanted}__args\\.yaml$`), 'args.yaml', now - minute)] : []),
  ];

  test('version 8.0: padded, from 0, without a time', () => {
    const { facts, ending } = read(...run('Abonia1.*train'));
    expect(facts.config).toMatchObject({
      epochs: 25,
      batchSize: 16,
      model: 'yolov8s.yaml',
      learningRate: 0.01,
    });
    expect(facts.results).toMatchObject({
      epochsCompleted: 25,
      metrics: { 'train/box_loss': 0.93868, 'metrics/mAP50(B)': 0.85651 },
    });
    expect(facts.history?.rows).toHaveLength(25);
    expect(facts.results?.durationSeconds).toBeUndefined();
    expect(ending).toMatchObject({ status: 'completed', by: 'results.csv' });
  });

  test('a resumed run: 36,315 s of one process and 48,828 s of the next', () => {
    const { facts, ending } = read(...run('PTI-Vision-__runs__detect__train2'));
    expect(facts.results?.epochsCompleted).toBe(120);
    expect(facts.results?.durationSeconds).toBeCloseTo(36_315.4 + 48_828.2, 0);
    expect(ending?.status).toBe('completed');
  });

  test('a run that stopped at epoch 32 of 60', () => {
    const { facts, ending } = read(...run('PTI-Vision-__runs__detect__train'));
    expect(facts.config?.epochs).toBe(60);
    expect(facts.results).toMatchObject({ epochsCompleted: 32, durationSeconds: 20_665.2 });
    expect(ending).toBeUndefined();
  });

  test('a run that was aborted in its first epoch', () => {
    const { facts, ending } = read(sample('yolo', /1527171.*train2__args\.yaml/, 'args.yaml'));
    expect(facts.config).toMatchObject({
      epochs: 200,
      batchSize: 32,
      model: 'yolo12n.pt',
      dataset: 'data.yaml',
    });
    expect({ results: facts.results, ending }).toEqual({ results: undefined, ending: undefined });
  });

  test('results with empty losses, and of a longer run', () => {
    const long = read(args({ epochs: 300 }), sample('yolo', /CourtVision.*ddcf5127/, 'results.csv'));
    expect(long.facts.results).toMatchObject({
      epochsCompleted: 225,
      metrics: { 'train/box_loss': 0.79006 },
    });
    const hundred = read(
      args({ epochs: 100 }),
      sample('yolo', /1527171.*train__results\.csv/, 'results.csv', now),
    );
    expect(hundred.facts.results).toMatchObject({ epochsCompleted: 100, durationSeconds: 5083.62 });
    expect(hundred.ending?.status).toBe('completed');
  });
});
