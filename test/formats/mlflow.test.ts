import { describe, expect, test } from 'vitest';
import { mlflowReader } from '../../src/formats/mlflow.ts';
import { type RunFile, readRun } from '../support/read-run.ts';
import { obeysReaderLaws } from '../support/reader-laws.ts';
import { hasSamples, sample } from '../support/real-samples.ts';
import { directoryOf } from '../support/run-directory.ts';

const now = 1_750_000_000_000;
const minute = 60_000;
const started = 1_749_996_000_250;

function file(path: string, text: string, modifiedAtMs = now): RunFile {
  return { path, bytes: Buffer.from(text), modifiedAtMs };
}

function meta(change: Readonly<Record<string, string | number | null>> = {}, modifiedAtMs = now): RunFile {
  const values = {
    artifact_uri: 'file:///a',
    end_time: started + 62_500,
    lifecycle_stage: 'active',
    run_id: '0a1b2c3d4e5f60718293a4b5c6d7e8f9',
    run_name: 'calm-fox-1',
    start_time: started,
    status: 3,
    user_id: 'ada',
    ...change,
  };
  return file(
    'meta.yaml',
    Object.entries(values)
      .map(([key, value]) => `${key}: ${value}\n`)
      .join(''),
    modifiedAtMs,
  );
}

const loss = file('metrics/loss', '1749996001000 2.5 0\n1749996002000 nan 1\n1749996003000 2.25 2\n');
const nested = file('metrics/val/acc', '1749996001500 0.5 0\n1749996003500 0.75 2\n');
const params = [file('params/epochs', '3'), file('params/lr', '0.01\n'), file('params/optimizer', 'adam')];
const tags = [
  file('tags/mlflow.user', 'grace'),
  file('tags/mlflow.source.git.commit', 'abc123'),
  file('tags/note', 'x'),
];

function read(...files: RunFile[]) {
  return readRun(mlflowReader, files);
}

obeysReaderLaws(mlflowReader, {
  finished: [meta(), loss, nested, ...params, ...tags],
  running: [meta({ status: 1, end_time: null }), loss],
});

test('a finished run', () => {
  const { facts, provenance, ending, warnings } = read(meta(), loss, nested, ...params, ...tags);
  expect(facts).toEqual({
    version: 'abc123',
    startedAt: '2025-06-15T14:00:00.250Z',
    endedAt: '2025-06-15T14:01:02.750Z',
    user: { username: 'grace' },
    config: { epochs: 3, learningRate: 0.01, raw: { epochs: '3', lr: '0.01', optimizer: 'adam' } },
    results: { durationSeconds: 62.5, metrics: { loss: 2.25, 'val/acc': 0.75 } },
    history: {
      columns: ['step', 'loss', 'val/acc'],
      rows: [
        [0, 2.5, 0.5],
        [1, null, null],
        [2, 2.25, 0.75],
      ],
    },
  });
  expect(provenance).toMatchObject({
    'session.startedAt': 'meta.yaml',
    'user.username': 'tags/mlflow.user',
    'config.epochs': 'params/epochs',
    'config.learningRate': 'params/lr',
    'config.raw.optimizer': 'params/optimizer',
    'results.metrics.val/acc': 'metrics/val/acc',
  });
  expect(ending).toEqual({ status: 'completed', by: 'meta.yaml', endedAt: '2025-06-15T14:01:02.750Z' });
  expect(warnings).toEqual(['metrics/loss: NaN or Infinity read as null: 1']);
});

describe('the end', () => {
  test.each([
    [3, 'completed'],
    [4, 'failed'],
    [5, 'cancelled'],
    ['FINISHED', 'completed'],
  ])('status %s is %s', (status, expected) => {
    expect(read(meta({ status })).ending?.status).toBe(expected);
  });

  test.each<[string, RunFile[]]>([
    ['a run that is going on', [meta({ status: 1, end_time: null }), loss]],
    ['a run that is scheduled', [meta({ status: 2, end_time: null })]],
    ['an unknown status', [meta({ status: 'constructor' })]],
    [
      'a run that was taken up again: its metrics go on',
      [meta(), { ...loss, modifiedAtMs: now + 2 * minute }],
    ],
    ['a run whose description is being written', [file('meta.yaml', ''), loss]],
  ])('is not told by %s', (_, files) => {
    expect(read(...files).ending).toBeUndefined();
  });
});

test('metrics of two fields are rows in their order; other lines are counted', () => {
  const { facts, warnings } = read(
    meta(),
    file('metrics/loss', '1749996001000 2.5\nhello\n1749996002000 1e-3\n'),
  );
  expect(facts.history).toEqual({ columns: ['loss'], rows: [[2.5], [0.001]] });
  expect(warnings).toEqual(['metrics/loss: lines that are no metric of MLflow: 1']);
});

describe('what only has the name', () => {
  test.each([
    ['an experiment', 'artifact_location: a\nexperiment_id: "0"\nlifecycle_stage: active\nname: Default\n'],
    ['a logged model', 'model_id: m-1\nsource_run_id: 0a1b\nrun_id: 0a1b\nstatus: 2\n'],
  ])('%s says nothing', (_, text) => {
    const { facts, ending, unread } = read(file('meta.yaml', text), loss, ...params);
    expect({ facts, ending, unread }).toEqual({ facts: {}, unread: [] });
  });

  test('is no run', () => {
    const found = mlflowReader.recognise(directoryOf([meta(), loss]));
    expect(found).toMatchObject({ confidence: 'likely', proof: { paths: ['meta.yaml'] } });
    const believes = (text: string) => found?.proof?.believe(Buffer.from(text), 'meta.yaml');
    expect(believes(meta().bytes.toString())).toBe(true);
    expect(believes('model_id: m-1\nrun_id: x\n')).toBe(false);
    expect(believes('experiment_id: 0\n')).toBe(false);
    expect(believes('')).toBe(false);
    expect(mlflowReader.recognise(directoryOf([{ path: 'meta.yaml' }]))).toBeUndefined();
  });
});

test('a deleted run is told to be one', () => {
  expect(read(meta({ lifecycle_stage: 'deleted' })).warnings).toEqual([
    'meta.yaml: lifecycle_stage is deleted',
  ]);
});

test('thousands of parameters and metrics are read up to a bound', () => {
  const many = Array.from({ length: 2000 }, (_, at) => [
    `params/p${at}`,
    `metrics/m${at}`,
    `tags/mlflow.t${at}`,
  ]).flat();
  const files = ['meta.yaml', ...many].map((path) => ({ path, sizeBytes: 1, modifiedAtMs: now }));
  expect(mlflowReader.select(files)).toHaveLength(1 + 256 + 16 + 48);
});

describe.runIf(hasSamples)('files of real runs', () => {
  const run = (id: string, paths: readonly string[]) =>
    read(
      ...paths.map((path) =>
        sample(
          'mlflow',
          new RegExp(`__${id}__${path.replaceAll('/', '__').replaceAll('.', '\\.')}$`),
          path,
          now,
        ),
      ),
    );

  test('finished, later deleted', () => {
    const { facts, ending, warnings } = run('3a9af4bdab714eb69a4ed7582c387268', [
      'meta.yaml',
      'metrics/test_accuracy',
      'metrics/val_loss',
      'params/epochs',
      'params/optimizer',
      'tags/mlflow.user',
    ]);
    expect(facts).toEqual({
      startedAt: '2023-08-07T12:01:26.448Z',
      endedAt: '2023-08-07T12:02:28.477Z',
      user: { username: 'sahma' },
      config: { epochs: 10, raw: { epochs: '10', optimizer: 'adam' } },
      results: {
        durationSeconds: 62.029,
        metrics: { test_accuracy: 0.8819000124931335, val_loss: 0.3188439607620239 },
      },
      history: {
        columns: ['step', 'test_accuracy', 'val_loss'],
        rows: [[0, 0.8819000124931335, 0.3188439607620239]],
      },
    });
    expect(ending).toMatchObject({ status: 'completed', endedAt: '2023-08-07T12:02:28.477Z' });
    expect(warnings).toEqual(['meta.yaml: lifecycle_stage is deleted']);
  });

  test('failed after a second', () => {
    const { facts, ending } = run('37c3d70bd924487d8113909cc9f6d31a', [
      'meta.yaml',
      'tags/mlflow.source.git.commit',
    ]);
    expect(facts).toMatchObject({
      startedAt: '2025-09-19T07:40:07.071Z',
      results: { durationSeconds: 1.06 },
    });
    expect(ending).toMatchObject({ status: 'failed', endedAt: '2025-09-19T07:40:08.131Z' });
  });

  test('running for ever', () => {
    const { facts, ending } = run('1b336314674f4618b469f4be479b5bc7', ['meta.yaml', 'tags/mlflow.user']);
    expect(facts).toEqual({ startedAt: '2022-10-12T13:32:05.183Z', user: { username: 'natnael_melese' } });
    expect(ending).toBeUndefined();
  });

  test('a model and an experiment say nothing', () => {
    for (const wanted of [/m-985b0d0482e04432a7c1d0a145f1040a__meta\.yaml/, /mlruns__0__meta\.yaml/]) {
      expect(read(sample('mlflow', wanted, 'meta.yaml')).facts).toEqual({});
    }
  });
});
