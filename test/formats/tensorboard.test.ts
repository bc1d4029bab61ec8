import { describe, expect, test } from 'vitest';
import { tensorboardReader } from '../../src/formats/tensorboard.ts';
import {
  eventFile,
  hyperparameters,
  record,
  scalar,
  sessionEnd,
  tensorScalar,
  text,
} from '../support/event-file.ts';
import { type RunFile, readRun } from '../support/read-run.ts';
import { obeysReaderLaws } from '../support/reader-laws.ts';
import { hasSamples, sample, sampleNames } from '../support/real-samples.ts';
import { directoryOf } from '../support/run-directory.ts';

const start = 1_750_000_000;
const name = `events.out.tfevents.${start}.host.example.7.0`;

function file(path: string, bytes: Buffer, modifiedAtMs = (start + 100) * 1000): RunFile {
  return { path, bytes, modifiedAtMs };
}

const losses = eventFile([
  { at: start + 1, values: [hyperparameters({ lr: 0.5, batch_size: 16, name: 'a', fast: true })] },
  { at: start + 2, step: 10, values: [scalar('loss', 2), tensorScalar('accuracy', 0.25)] },
  { at: start + 8, step: 20, values: [scalar('loss', 1)] },
]);

const trainerArguments = JSON.stringify({
  output_dir: 'out',
  num_train_epochs: 3,
  per_device_train_batch_size: 4,
  learning_rate: 5e-5,
  max_steps: -1,
  seed: 42,
  hub_token: '<HUB_TOKEN>',
});
const trainer = eventFile([
  { at: start, values: [text('args/text_summary', trainerArguments)] },
  { at: start, values: [text('model_config/text_summary', '{"_name_or_path": "org/base"}')] },
  { at: start + 5, step: 10, values: [scalar('train/loss', 2), scalar('train/epoch', 1.5)] },
  { at: start + 9, step: 20, values: [scalar('train/loss', 1), scalar('train/epoch', 3)] },
]);
const trainerEnd = eventFile([
  { at: start, values: [text('args/text_summary', trainerArguments)] },
  { at: start + 5, step: 10, values: [scalar('train/loss', 2)] },
  { at: start + 60, step: 20, values: [scalar('train/train_runtime', 60), scalar('train/epoch', 3)] },
]);

test('scalars become the history, hyperparameters the configuration', () => {
  expect(readRun(tensorboardReader, [file(name, losses)])).toEqual({
    facts: {
      startedAt: '2025-06-15T15:06:41.000Z',
      config: { batchSize: 16, learningRate: 0.5, raw: { lr: 0.5, batch_size: 16, name: 'a', fast: true } },
      results: { durationSeconds: 7, metrics: { loss: 1, accuracy: 0.25 } },
      history: {
        columns: ['step', 'loss', 'accuracy'],
        rows: [
          [10, 2, 0.25],
          [20, 1, null],
        ],
      },
    },
    provenance: {
      'session.startedAt': name,
      'config.batchSize': name,
      'config.learningRate': name,
      'config.raw': name,
      'results.durationSeconds': name,
      'results.metrics': name,
      history: name,
    },
    documents: {},
    warnings: [],
    unread: [],
  });
});

test('the arguments of a Trainer say what it trains, and with what', () => {
  const { facts, ending } = readRun(tensorboardReader, [file(`runs/a/${name}`, trainer)]);
  expect(facts.framework).toBe('transformers');
  expect(facts.config).toMatchObject({
    epochs: 3,
    batchSize: 4,
    learningRate: 5e-5,
    seed: 42,
    model: 'org/base',
  });
  expect(facts.config).not.toHaveProperty('maxSteps');
  expect(facts.results).toMatchObject({ stepsCompleted: 20, epochsCompleted: 3, durationSeconds: 9 });
  expect(ending).toBeUndefined();
});

describe('the end of a Trainer', () => {
  const path = `runs/a/${name}`;
  const later = `events.out.tfevents.${start + 70}.host.example.7.2`;
  const evaluation = eventFile([{ at: start + 70, step: 20, values: [scalar('eval/loss', 1)] }]);
  const by = { status: 'completed', by: path, endedAt: '2025-06-15T15:07:40.000Z' };

  test.each<[string, RunFile[]]>([
    ['its record of the runtime', [file(path, trainerEnd)]],
    [
      'that record, with an evaluation after it',
      [file(path, trainerEnd), file(`runs/a/${later}`, evaluation)],
    ],
    [
      'that record of the later of two trainings',
      [
        file(
          `runs/0/events.out.tfevents.${start - 90}.h.1.0`,
          eventFile([{ at: start - 90, values: [text('args/text_summary', trainerArguments)] }]),
          (start - 900) * 1000,
        ),
        file(path, trainerEnd),
      ],
    ],
  ])('is %s', (_, files) => {
    expect(readRun(tensorboardReader, files).ending).toEqual(by);
  });

  test('counts only once another training that writes here as well had time to show', () => {
    const beside = file(
      `runs/0/events.out.tfevents.${start - 90}.h.1.0`,
      eventFile([{ at: start - 90, values: [text('args/text_summary', trainerArguments)] }]),
    );
    expect(readRun(tensorboardReader, [beside, file(path, trainerEnd)]).ending).toEqual({
      ...by,
      quietMs: 180_000,
    });
  });

  test('is none while a log tells of a training that was begun after it', () => {
    const log = Buffer.from("***** Running training *****\n{'loss': 1.5, 'epoch': 0.1}\n");
    const files = [file(path, trainerEnd), file('train.log', log, (start + 300) * 1000)];
    expect(readRun(tensorboardReader, files)).toMatchObject({ goesOn: true });
    expect(readRun(tensorboardReader, files).ending).toBeUndefined();
  });

  const carriedOn = eventFile([
    { at: start, values: [text('args/text_summary', trainerArguments)] },
    { at: start + 60, step: 20, values: [scalar('train/train_runtime', 60)] },
    { at: start + 90, step: 30, values: [scalar('train/loss', 1)] },
  ]);
  test.each<[string, RunFile[]]>([
    ['training values after it', [file(path, carriedOn)]],
    ['a training begun after it', [file(path, trainerEnd), file(`runs/b/${later}`, trainer)]],
    [
      'a file begun after it that says nothing yet',
      [file(path, trainerEnd), file(`runs/b/${later}`, eventFile([]))],
    ],
    ['a later checkpoint', [file(path, trainerEnd), file('checkpoint-5/optimizer.pt', Buffer.alloc(4))]],
    [
      'a record of that name that no Trainer wrote',
      [file(path, eventFile([{ at: start, values: [scalar('train/train_runtime', 1)] }]))],
    ],
  ])('is not believed with %s', (_, files) => {
    expect(readRun(tensorboardReader, files).ending).toBeUndefined();
  });
});

test('a session that says it has succeeded is no end: writers put that there at the start', () => {
  const values = [hyperparameters({ lr: 0.5 }), sessionEnd(1)];
  const { facts, ending } = readRun(tensorboardReader, [file(name, eventFile([{ at: start, values }]))]);
  expect(facts.config?.learningRate).toBe(0.5);
  expect(ending).toBeUndefined();
});

test('files one after the other are one history, and their times add up', () => {
  const second = eventFile([
    { at: start + 1000, step: 20, values: [scalar('loss', 0.75)] },
    { at: start + 1005, step: 30, values: [scalar('loss', 0.5)] },
  ]);
  const files = [file(name, losses), file(`events.out.tfevents.${start + 1000}.host.8.0`, second)];
  const { facts } = readRun(tensorboardReader, files);
  expect(facts.history).toEqual({
    columns: ['step', 'loss', 'accuracy'],
    rows: [
      [10, 2, 0.25],
      [20, 0.75, null],
      [30, 0.5, null],
    ],
  });
  expect(facts.results).toEqual({ durationSeconds: 12, metrics: { loss: 0.5, accuracy: 0.25 } });
});

test('files side by side keep their values apart, and their time counts once', () => {
  const at = (path: string, loss: number) =>
    file(
      `${path}/${name}`,
      eventFile(
        [0, 1, 2].map((step) => ({
          at: start + step * 5,
          step,
          values: [tensorScalar('epoch_loss', loss - step)],
        })),
      ),
    );
  const { facts } = readRun(tensorboardReader, [at('train', 9), at('validation', 5)]);
  expect(facts.history).toEqual({
    columns: ['step', 'train/epoch_loss', 'validation/epoch_loss'],
    rows: [
      [0, 9, 5],
      [1, 8, 4],
      [2, 7, 3],
    ],
  });
  expect(facts.results?.durationSeconds).toBe(10);
});

describe('what is damaged', () => {
  test('a tail that is not there yet is waited for', () => {
    const { facts, warnings } = readRun(tensorboardReader, [
      file(name, losses.subarray(0, losses.length - 9)),
    ]);
    expect(facts.history?.rows).toEqual([[10, 2, 0.25]]);
    expect(warnings).toEqual([]);
  });

  test('a wrong checksum in the middle ends the reading there, with its place', () => {
    const bytes = Buffer.from(losses);
    const at = bytes.lastIndexOf('loss');
    bytes[at] = 0x4c;
    const { facts, warnings } = readRun(tensorboardReader, [file(name, bytes)]);
    expect(facts.history?.rows).toEqual([[10, 2, 0.25]]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(
      /^events\S+: the record at byte \d+ is damaged: its checksum is wrong; what comes after is not read$/,
    );
    const place = Number(/byte (\d+)/.exec(warnings[0] ?? '')?.[1]);
    expect(place).toBeLessThan(at);
    expect(losses.readBigUInt64LE(place)).toBeLessThan(100n);
  });

  test('a length beyond all bounds is no record', () => {
    const { warnings } = readRun(tensorboardReader, [
      file(name, Buffer.concat([losses, Buffer.alloc(24, 0xff)])),
    ]);
    expect(warnings).toEqual([
      `${name}: no record at byte ${losses.length}: the checksum of its length is wrong; what comes after is not read`,
    ]);
  });

  test('records that are no event are passed by', () => {
    const bytes = Buffer.concat([record(Buffer.from([0xff, 0xff, 0xff])), losses]);
    const { facts, warnings } = readRun(tensorboardReader, [file(name, bytes)]);
    expect(facts.history?.rows).toHaveLength(2);
    expect(warnings).toEqual([`${name}: records that are no event left out: 1`]);
  });

  test('a graph of many megabytes is passed by without being kept', () => {
    const graph = record(Buffer.alloc(3 * 1024 * 1024, 7));
    const { facts } = readRun(tensorboardReader, [file(name, Buffer.concat([graph, losses]))], {
      chunkBytes: 100_000,
    });
    expect(facts.history?.rows).toHaveLength(2);
  });

  test('the place of what is damaged counts what was passed by', () => {
    const graph = record(Buffer.alloc(3 * 1024 * 1024, 7));
    const bytes = Buffer.concat([graph, losses, Buffer.alloc(24, 0xff)]);
    const { warnings } = readRun(tensorboardReader, [file(name, bytes)], { chunkBytes: 100_000 });
    expect(warnings.join()).toContain(`no record at byte ${graph.length + losses.length}:`);
  });

  test('NaN is null, in the history and as the last value', () => {
    const bytes = eventFile(
      [1, 2].map((step) => ({ at: start, step, values: [scalar('loss', step === 1 ? 1 : Number.NaN)] })),
    );
    const { facts, warnings } = readRun(tensorboardReader, [file(name, bytes)]);
    expect(facts.history?.rows).toEqual([
      [1, 1],
      [2, null],
    ]);
    expect(facts.results?.metrics).toEqual({ loss: null });
    expect(warnings).toEqual([`${name}: NaN or Infinity read as null: 1`]);
  });

  test('a file with nothing but its head says when it began', () => {
    const { facts } = readRun(tensorboardReader, [file(name, eventFile([]))]);
    expect(facts).toEqual({ startedAt: '2023-11-14T22:13:20.000Z' });
  });
});

describe('what only has the name', () => {
  test.each([
    ['a file of macOS', '._events.out.tfevents.1700000000.host.local.1.0'],
    ['one in what macOS packed', '__MACOSX/logs/events.out.tfevents.1700000000.host.local.1.0'],
    ['a copy that a tracker keeps', 'wandb/run-1/files/events.out.tfevents.1700000000.host.1.0'],
    ['a profile', 'events.out.tfevents.1700000000.host.profile-empty'],
  ])('is not read: %s', (_, path) => {
    expect(tensorboardReader.select([{ path, sizeBytes: 1, modifiedAtMs: 0 }])).toEqual([]);
  });

  test('says nothing when it is something else', () => {
    const { facts, warnings } = readRun(tensorboardReader, [
      file(name, Buffer.from('this is a text, not an event file')),
    ]);
    expect(facts).toEqual({});
    expect(warnings).toEqual([
      `${name}: no record at byte 0: the checksum of its length is wrong; what comes after is not read`,
    ]);
  });
});

describe('a directory', () => {
  test.each<[string, string[], string[]]>([
    ['with event files in it', [name], [name]],
    [
      'with training and validation in it',
      [`train/${name}`, `validation/${name}`],
      [`train/${name}`, `validation/${name}`],
    ],
    [
      'with a directory that is named for them',
      ['log.txt', `tensorboard_logs/${name}`],
      [`tensorboard_logs/${name}`],
    ],
  ])('is a run %s', (_, files, paths) => {
    const recognition = tensorboardReader.recognise(directoryOf(files.map((path) => ({ path }))));
    expect(recognition).toMatchObject({ confidence: 'likely', proof: { paths } });
    expect(recognition?.proof?.believe(losses.subarray(0, 256), paths[0] ?? '')).toBe(true);
    expect(recognition?.proof?.believe(Buffer.from('no event file at all'), paths[0] ?? '')).toBe(false);
  });

  test('that holds runs is none', () => {
    expect(
      tensorboardReader.recognise(directoryOf([{ path: `a/${name}` }, { path: `b/${name}` }])),
    ).toBeUndefined();
  });

  test('with very many files is read in its first and its last ones', () => {
    const files = Array.from({ length: 500 }, (_, at) => ({
      path: `events.out.tfevents.${start + at}.h.1.0`,
      sizeBytes: 1,
      modifiedAtMs: 0,
    }));
    const paths = tensorboardReader.select(files).map(({ path }) => path);
    expect(paths).toHaveLength(32);
    expect([paths[0], paths.at(-1)]).toEqual([files[0]?.path, files.at(-1)?.path]);
  });
});

obeysReaderLaws(tensorboardReader, {
  plain: [file(name, losses)],
  trainer: [
    file(`runs/a/${name}`, trainer),
    file(`runs/a/events.out.tfevents.${start + 90}.h.1.0`, trainerEnd),
  ],
});

describe.runIf(hasSamples)('files of real runs', () => {
  const names = sampleNames('tensorboard', /./);
  test.each(names)('%s is read, cut anywhere', (one) => {
    const path = one.slice(one.search(/(?:\._)?events\.out/)).replace(/@.*/, '');
    const exact = new RegExp(`^${one.replaceAll('.', '\\.')}$`);
    const whole = readRun(tensorboardReader, [sample('tensorboard', exact, path)]);
    expect(whole.warnings).toEqual([]);
    expect(readRun(tensorboardReader, [sample('tensorboard', exact, path)], { chunkBytes: 13 })).toEqual(
      whole,
    );
  });

  const emon = /Emon2358.*1269\.0$/;
  test('the Trainer of a language model', () => {
    const path = 'runs/Jun29/events.out.tfevents.1719642696.6a29ce405cda.1269.0';
    const { facts, ending } = readRun(tensorboardReader, [sample('tensorboard', emon, path)]);
    expect(facts.startedAt).toBe('2024-06-29T06:31:36.811Z');
    expect(facts.config).toMatchObject({
      epochs: 100,
      batchSize: 1,
      learningRate: 5e-5,
      seed: 42,
      model: 'rinna/japanese-gpt2-medium',
    });
    expect(facts.results).toMatchObject({ durationSeconds: 3202.529, stepsCompleted: 3100 });
    expect(facts.history?.rows.map(([step]) => step)).toEqual([500, 1000, 1500, 2000, 2500, 3000, 3100]);
    expect(ending).toEqual({ status: 'completed', by: path, endedAt: '2024-06-29T07:24:59.339Z' });
  });

  test.each([
    ['6b79cb3c', 36, 37, 371280.462, 2.9349372386932373],
    ['0cb3c495', 56, 38, 572079.048, 2.055879592895508],
  ])('one file at two moments: %s', (commit, step, rows, durationSeconds, loss) => {
    const one = sample(
      'tensorboard',
      new RegExp(`Jhko725.*@${commit}`),
      'events.out.tfevents.1584723618.Joon-Development.25916.0',
    );
    const { facts } = readRun(tensorboardReader, [one]);
    expect(facts.history?.rows).toHaveLength(rows);
    expect(facts.history?.rows.at(-1)).toEqual([step, loss]);
    expect(facts.results).toEqual({ durationSeconds, metrics: { train_loss: loss } });
    expect(facts.config).toMatchObject({ batchSize: 20, learningRate: 0.01 });
  });

  test.each([
    [/b8c778fb/, 300, 7],
    [/1191c4c6/, 700, 15],
    [/c2f774c6/, 10_000, 201],
  ])('a run that grows: %s', (commit, step, rows) => {
    const [one = ''] = sampleNames('tensorboard', commit);
    const path = 'tensorboard_logs/events.out.tfevents.1736589720.hopper-h100-0.435214.0';
    const { facts } = readRun(tensorboardReader, [
      sample('tensorboard', new RegExp(one.replace(/^.*@/, '')), path),
    ]);
    expect(facts.startedAt).toBe('2025-01-11T10:02:00.958Z');
    expect([facts.history?.rows.length, facts.history?.rows.at(-1)?.[0]]).toEqual([rows, step]);
    expect(facts.history?.rows[0]).toEqual([0, 10.99600887298584, null, null]);
  });

  test('scalars as tensors, a head alone, a file of macOS', () => {
    const keras = readRun(tensorboardReader, [
      sample('tensorboard', /validation.*\.v2$/, 'validation/events.out.tfevents.1664085067.D.1.v2'),
    ]);
    expect(keras.facts.results?.metrics).toMatchObject({
      epoch_loss: 1.0753506422042847,
      epoch_accuracy: 0.9010416865348816,
    });
    const head = readRun(tensorboardReader, [
      sample('tensorboard', /5749\.0$/, 'events.out.tfevents.1582009137.J.5749.0'),
    ]);
    expect(head.facts).toEqual({ startedAt: '2020-02-18T06:58:57.091Z' });
    const [macos = ''] = sampleNames('tensorboard', /MACOSX/);
    expect(macos).toMatch(/\._events/);
    expect(
      readRun(tensorboardReader, [
        sample('tensorboard', /MACOSX/, '__MACOSX/logs/._events.out.tfevents.1737534062.E.1.0'),
      ]).facts,
    ).toEqual({});
  });
});
