import { describe, expect, test } from 'vitest';
import { wandbReader } from '../../src/formats/wandb.ts';
import { type RunFile, readRun } from '../support/read-run.ts';
import { obeysReaderLaws } from '../support/reader-laws.ts';
import { hasSamples, sample, sampleNames } from '../support/real-samples.ts';
import { directoryOf } from '../support/run-directory.ts';
import { field, record, wandbFile } from '../support/wandb-file.ts';

const now = 1_750_000_000_000;
const minute = 60_000;
const startedAt = 1_749_990_000;
const older = 'wandb/offline-run-20250615_101500-aa11bb22';
const run = 'wandb/offline-run-20250615_122000-ab12cd34';
const log = `${run}/run-ab12cd34.wandb`;

function file(path: string, content: Buffer | string | object, modifiedAtMs = now): RunFile {
  const bytes = Buffer.isBuffer(content)
    ? content
    : Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  return { path, bytes, modifiedAtMs };
}

const config = {
  learning_rate: 2e-5,
  num_train_epochs: 3,
  per_device_train_batch_size: 8,
  seed: 42,
  model_name_or_path: 'small',
  _wandb: { e: { host: { email: 'ada@example.com' } } },
};
const described = [
  field(21, Buffer.alloc(0)),
  record.run({ config, startedAt }),
  record.config({ max_steps: 200, nested: { a: [1] } }),
  record.output('hello'),
];
const trained = [
  record.history({ 'train/loss': 2.5, 'train/global_step': 10, 'train/epoch': 0.5, _step: 0, _runtime: 1.5 }),
  record.history({ 'train/loss': Buffer.from('NaN'), 'train/global_step': 20, 'train/epoch': 1, _step: 1 }),
  record.history({ 'eval/loss': 2.25, 'train/global_step': 20, _step: 2, picture: { _type: 'image-file' } }),
];
const evaluation = [
  record.run({ startedAt }),
  record.history({ 'eval/loss': 2.25, 'eval/runtime': 3, 'train/global_step': 20, _step: 0 }),
  record.exit(0, 75),
];
const closed = [
  record.summary({
    'train/loss': 2.5,
    'eval/loss': 2.25,
    note: 'fine',
    _runtime: 70,
    'train/grad': { max: 1 },
  }),
  record.exit(0, 75),
];

function read(...files: RunFile[]) {
  return readRun(wandbReader, files);
}

function closedBy(code: number, ...before: Buffer[]) {
  return read(file(log, wandbFile([...described, ...trained, ...before, record.exit(code, 75)])));
}

const metadata = {
  startedAt: '2025-06-15T12:20:00.250000',
  username: 'ada',
  email: 'ada@example.com',
  state: 'running',
  host: 'node7',
  gpu: 'NVIDIA A40',
  gpu_count: 8,
};
const oldConfig = [
  'wandb_version: 1',
  '_wandb:',
  '  desc: null',
  '  value: {e: {email: ada@example.com}}',
  'epochs:',
  '  desc: null',
  '  value: 5',
  'lr:',
  '  desc: null',
  '  value: 0.5',
  '',
].join('\n');

const runs = {
  offline: [file(log, wandbFile([...described, ...trained, ...closed]))],
  online: [
    file(`${run}/files/config.yaml`, oldConfig),
    file(`${run}/files/wandb-metadata.json`, metadata),
    file(
      `${run}/files/wandb-summary.json`,
      '{"loss": 0.5, "acc": NaN, "_wandb": {"runtime": 33}, "_runtime": 32.5}',
    ),
    file(log, wandbFile([field(21, Buffer.alloc(0))])),
    file(`${older}/run-aa11bb22.wandb`, wandbFile([...described, record.exit(1, 3)])),
  ],
};

obeysReaderLaws(wandbReader, runs);

test('the log of an offline run says all of it', () => {
  const { facts, ending, provenance, warnings } = read(...runs.offline);
  expect(facts).toEqual({
    startedAt: '2025-06-15T12:20:00.250Z',
    config: {
      epochs: 3,
      batchSize: 8,
      learningRate: 2e-5,
      maxSteps: 200,
      seed: 42,
      model: 'small',
      raw: {
        learning_rate: 2e-5,
        num_train_epochs: 3,
        per_device_train_batch_size: 8,
        seed: 42,
        model_name_or_path: 'small',
        max_steps: 200,
        nested: { a: [1] },
      },
    },
    results: {
      durationSeconds: 75,
      stepsCompleted: 20,
      metrics: { 'train/loss': 2.5, 'eval/loss': 2.25, note: 'fine' },
    },
    history: {
      columns: ['step', 'train/loss', 'train/global_step', 'train/epoch', 'eval/loss'],
      rows: [
        [10, 2.5, 10, 0.5, null],
        [20, null, 20, 1, 2.25],
      ],
    },
  });
  expect(new Set(Object.values(provenance))).toEqual(new Set([log]));
  expect(warnings).toEqual([`${log}: NaN or Infinity read as null: 1`]);
  expect(ending).toEqual({ status: 'completed', by: log, quietMs: minute });
});

test('files of an online run, the configuration as older versions wrote it, no e-mail address', () => {
  const said = read(...runs.online);
  expect(said.facts).toEqual({
    startedAt: '2025-06-15T12:20:00.250Z',
    user: { username: 'ada' },
    pod: { gpuType: 'NVIDIA A40' },
    config: { epochs: 5, learningRate: 0.5, raw: { epochs: 5, lr: 0.5 } },
    results: { durationSeconds: 33, metrics: { loss: 0.5 } },
  });
  expect(said.provenance).toMatchObject({
    'session.startedAt': `${run}/files/wandb-metadata.json`,
    'config.epochs': `${run}/files/config.yaml`,
    'results.durationSeconds': `${run}/files/wandb-summary.json`,
  });
  expect(said.ending).toBeUndefined();
  expect(JSON.stringify([said, read(...runs.offline)])).not.toContain('example.com');
});

test('without a step of the trainer wandb counts, also with keys as older records have them', () => {
  const { facts } = read(
    file(
      log,
      wandbFile([
        record.run({}),
        record.history({ loss: 5, _step: 7 }),
        record.history({ loss: 4, _step: 8 }, 2),
      ]),
    ),
  );
  expect(facts.history).toEqual({
    columns: ['step', 'loss'],
    rows: [
      [7, 5],
      [8, 4],
    ],
  });
  expect(facts.results).toBeUndefined();
});

test('a resumed run is one history, another run in the same place is not', () => {
  const first = [record.run({ id: 'ab12cd34', startedAt }), record.history({ loss: 5, _step: 1 })];
  const again = [
    record.run({ id: 'ab12cd34', startedAt, resumed: true }),
    record.history({ loss: 4, _step: 2 }),
    record.exit(0, 90),
  ];
  const other = [record.run({ id: 'zz', startedAt }), record.history({ loss: 77, _step: 1 })];
  const { facts, ending } = read(
    file(`wandb/run-20250615_101500-ab12cd34/run-ab12cd34.wandb`, wandbFile(first)),
    file(`wandb/run-20250615_111500-zz/run-zz.wandb`, wandbFile(other)),
    file(`wandb/run-20250615_121500-ab12cd34/run-ab12cd34.wandb`, wandbFile(again)),
  );
  expect(facts.history?.rows).toEqual([
    [1, 5],
    [2, 4],
  ]);
  expect(facts.results).toEqual({ durationSeconds: 90 });
  expect(ending?.by).toBe('wandb/run-20250615_121500-ab12cd34/run-ab12cd34.wandb');
});

test('a session that is a run directory itself is read the same', () => {
  const inside = runs.offline.map((one) => ({ ...one, path: one.path.slice(run.length + 1) }));
  expect(read(...inside).facts).toEqual(read(...runs.offline).facts);
});

describe('the end', () => {
  test.each<[number, string]>([
    [1, 'failed'],
    [-1, 'failed'],
    [137, 'failed'],
    [255, 'cancelled'],
    [130, 'cancelled'],
  ])('exit code %i is %s', (code, status) => {
    expect(closedBy(code).ending).toEqual({ status, by: log, error: `exit code ${code}`, quietMs: minute });
  });

  test('of a run that was told that it is preempted', () => {
    expect(closedBy(1, record.preempting()).ending?.status).toBe('interrupted');
  });

  test.each<[string, RunFile[]]>([
    ['a run without an exit record', [file(log, wandbFile([...described, ...trained]))]],
    [
      'a run that was cut off in its exit record',
      [file(log, wandbFile([...described, ...closed]).subarray(0, -3))],
    ],
    ['a run whose exit record is damaged', [file(log, flippedLast(wandbFile([...described, ...closed])))]],
    [
      'a run that was described again after its exit',
      [file(log, wandbFile([...described, ...closed, record.run({})]))],
    ],
    [
      'an earlier run',
      [
        file(`${older}/run-aa11bb22.wandb`, wandbFile([...described, ...closed])),
        file(log, wandbFile(described)),
      ],
    ],
    [
      'a run that only evaluated what an earlier one had trained',
      [
        file(`${older}/run-aa11bb22.wandb`, wandbFile([...described, ...trained])),
        file(log, wandbFile([field(21, Buffer.alloc(0)), ...evaluation])),
      ],
    ],
    ['a run after which the training wrote on', [...runs.offline, file('last.pt', 'x', now + 2 * minute)]],
    [
      'a copy of the last run',
      [file('wandb/latest-run/run-ab12cd34.wandb', wandbFile([...described, ...closed]))],
    ],
    [
      'metadata that says finished',
      [file(`${run}/files/wandb-metadata.json`, { ...metadata, state: 'finished' })],
    ],
  ])('is not told by %s', (_, files) => {
    expect(read(...files).ending).toBeUndefined();
  });
});

test('records that make no sense are counted, the others are read', () => {
  const { facts, warnings } = read(
    file(
      log,
      wandbFile([
        record.run({ startedAt }),
        Buffer.from([0x8a, 0x01, 0xff, 0xff]),
        field(2, field(1, Buffer.from([0xff]))),
        record.config({ epochs: 2 }),
      ]),
    ),
  );
  expect(facts.config?.epochs).toBe(2);
  expect(warnings).toEqual([`${log}: records that are no protobuf message: 2`]);
});

test('a configuration beyond its bound is cut, and said to be', () => {
  const { facts, warnings } = read(
    file(log, wandbFile([record.run({ config: { epochs: 2, huge: 'x'.repeat(70_000) } })])),
  );
  expect(facts.config).toEqual({ epochs: 2, raw: { epochs: 2 } });
  expect(warnings).toEqual([`${log}: keys of the configuration beyond 65536 bytes left out: 1`]);
});

describe('a directory', () => {
  const at = (paths: string[], name = 'exp1') =>
    wandbReader.recognise(
      directoryOf(
        paths.map((path) => ({ path })),
        name,
      ),
    );

  test('of a run is one, by the first bytes of its log', () => {
    const found = at(['run-ab12cd34.wandb', 'files/config.yaml']);
    expect(found).toMatchObject({ confidence: 'likely', proof: { paths: ['run-ab12cd34.wandb'] } });
    expect(found?.proof?.believe(wandbFile([]), '')).toBe(true);
    expect(found?.proof?.believe(Buffer.from('version https://git-lfs'), '')).toBe(false);
  });

  test('with a wandb folder beside its own files is one', () => {
    expect(at(['model.pt', log])).toMatchObject({ confidence: 'likely' });
    expect(at(['model.pt', log], '')).toMatchObject({ confidence: 'likely' });
  });

  test.each<[string[], string]>([
    [['exp1/model.pt', log], ''],
    [['runs/detect/train/args.yaml', log], 'exp1'],
    [['wandb/settings', 'wandb/debug.log'], 'exp1'],
    [['files/run-1.wandb.txt'], 'exp1'],
    [['run-ab12cd34.wandb'], 'latest-run'],
  ])('with %j is none', (paths, name) => {
    expect(at(paths, name)).toBeUndefined();
  });
});

function flippedLast(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(copy.length - 1) ^ 1, copy.length - 1);
  return copy;
}

describe.runIf(hasSamples)('files of real runs', () => {
  const wandb = (wanted: RegExp, path = log) => sample('wandb', wanted, path, now);

  test.each(sampleNames('wandb', /\.wandb$/))('%s is survived', (name) => {
    const found = read(wandb(new RegExp(`^${name.replaceAll('.', '\\.')}$`)));
    expect(found.facts.framework).toBeUndefined();
  });

  test('a run that failed after three seconds', () => {
    const { facts, ending } = read(wandb(/z7hun229\.wandb$/));
    expect(facts.startedAt).toBe('2024-07-07T12:42:23.362Z');
    expect(facts.config).toMatchObject({
      epochs: 50,
      batchSize: 16,
      learningRate: 0.01,
      raw: { weights: 'yolov7.pt' },
    });
    expect(facts.results).toEqual({ durationSeconds: 3 });
    expect(ending).toMatchObject({ status: 'failed', error: 'exit code 1' });
  });

  test('a run that was killed: the end of its log is missing', () => {
    const { facts, ending, warnings } = read(wandb(/b89gnbza\.wandb$/));
    expect(facts.startedAt).toBe('2024-07-07T13:00:16.379Z');
    expect(ending).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  test('a run that was interrupted, with its history', () => {
    const { facts, ending } = read(wandb(/iisnbmud\.wandb$/));
    expect(facts.history).toEqual({
      columns: ['step', 'loss', 'lr'],
      rows: [
        [1, 0.03089492954313755, 0.0001],
        [2, 0.02213161438703537, 0.0001],
        [3, 0.015688983723521233, 0.0001],
      ],
    });
    expect(facts.results).toEqual({
      durationSeconds: 7,
      metrics: { loss: 0.015688983723521233, lr: 0.0001 },
    });
    expect(ending).toMatchObject({ status: 'cancelled', error: 'exit code 255' });
  });

  test("wandb's own files of a resumed run and of one without a history", () => {
    const resumed = read(wandb(/old_resumed_run\.wandb$/));
    expect(resumed.facts.history).toEqual({
      columns: ['step', 'x'],
      rows: [
        [5, 0],
        [6, 1],
        [7, 2],
      ],
    });
    expect(resumed.ending?.status).toBe('completed');
    expect(read(wandb(/old_no_history\.wandb$/)).facts).toEqual({ results: { metrics: { score: 1 } } });
  });

  test('an online run with the old configuration, and an offline one that failed', () => {
    const directory = 'wandb/run-20240410_104546-gntto7lk/files';
    const { facts } = read(
      wandb(/gntto7lk__files__config\.yaml/, `${directory}/config.yaml`),
      wandb(/gntto7lk__files__wandb-metadata/, `${directory}/wandb-metadata.json`),
      wandb(/gntto7lk__files__wandb-summary/, `${directory}/wandb-summary.json`),
    );
    expect(facts).toMatchObject({
      startedAt: '2024-04-10T02:45:46.686Z',
      user: { username: 'root' },
      pod: { gpuType: 'NVIDIA GeForce RTX 4080' },
      config: { epochs: 200, batchSize: 16, model: 'yolov8n.yaml' },
      results: { durationSeconds: 185, metrics: { 'train/box_loss': 0.58623 } },
    });
    const failed = read(wandb(/er02wjzs\.wandb$/));
    expect(failed.facts.config).toMatchObject({ learningRate: 5e-5, maxSteps: 10_000, seed: 1996 });
    expect(failed.ending).toMatchObject({ status: 'failed' });
  });

  test('a log of its header alone, and copies of the last run', () => {
    expect(read(wandb(/28yl9jjd\.wandb$/)).facts).toEqual({});
    expect(read(wandb(/iisnbmud\.wandb$/, 'wandb/latest-run/run-iisnbmud.wandb')).facts).toEqual({});
    expect(
      read(wandb(/latest-run\.672047/, 'wandb/latest-run.672047/files/wandb-summary.json')).facts,
    ).toEqual({});
  });
});
