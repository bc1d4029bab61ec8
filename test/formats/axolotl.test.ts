import { describe, expect, test } from 'vitest';
import { axolotlReader } from '../../src/formats/axolotl.ts';
import { type RunFile, readRun } from '../support/read-run.ts';
import { obeysReaderLaws } from '../support/reader-laws.ts';
import { directoryOf } from '../support/run-directory.ts';

const ended = 1_750_000_000_000;

function file(path: string, content: string, modifiedAtMs = ended): RunFile {
  return { path, bytes: Buffer.from(content), modifiedAtMs };
}

const head = '[2025-11-06 10:20:01,001] [DEBUG] [axolotl.cli.config.load_cfg:250] [PID:7] [RANK:0] config:\n';
const config =
  '{\n  "base_model": "org/base",\n  "learning_rate": 0.0002,\n  "micro_batch_size": 2,\n  "num_epochs": 3,\n  "seed": 42\n}\n';
const starting =
  '[2025-11-06 10:21:00,000] [INFO] [axolotl.train.execute_training:212] [PID:7] Starting trainer...\n';
const training =
  "{'loss': 1.25, 'grad_norm': 0.5, 'learning_rate': 0.0002, 'epoch': 0.1}\n  5%|▌         | 5/100 [00:10<03:10,  2.00s/it]\r";
const finish =
  '100%|██████████| 100/100 [03:20<00:00,  2.00s/it][2025-11-06 10:25:10,069] [INFO] [axolotl.train.save_trained_model:228] [PID:7] Training completed! Saving trained model to ./out.\n';
const saved =
  '[2025-11-06 10:25:11,945] [INFO] [axolotl.train.save_trained_model:350] [PID:7] Model successfully saved to ./out\n';
const whole = head + config + starting + training + finish + saved;

test('the log says with what the training runs, and that it is over', () => {
  expect(readRun(axolotlReader, [file('debug.log', whole)])).toEqual({
    facts: {
      framework: 'axolotl',
      config: {
        epochs: 3,
        batchSize: 2,
        learningRate: 0.0002,
        seed: 42,
        model: 'org/base',
        raw: { base_model: 'org/base', learning_rate: 0.0002, micro_batch_size: 2, num_epochs: 3, seed: 42 },
      },
    },
    provenance: expect.objectContaining({ 'session.framework': 'debug.log', 'config.model': 'debug.log' }),
    ending: { status: 'completed', by: 'debug.log' },
    documents: {},
    warnings: [],
    unread: [],
  });
});

test('a training that is begun after another was complete takes its end back', () => {
  const again = [file('debug.log', whole + head + config + starting)];
  expect(readRun(axolotlReader, again)).toMatchObject({ goesOn: true });
  expect(readRun(axolotlReader, [file('debug.log', head + starting)])).not.toHaveProperty('goesOn');
});

describe('no end', () => {
  test.each<[string, RunFile[]]>([
    ['while it trains', [file('debug.log', head + config + starting + training)]],
    ['after it was resumed', [file('debug.log', whole + head + config + starting)]],
    ['when values come after the finish', [file('debug.log', whole + training.replace('\r', '\n'))]],
    [
      'with a checkpoint that was begun later',
      [file('debug.log', whole), file('checkpoint-9/a.bin', '', ended + 60_000)],
    ],
    [
      'in a line that another program printed',
      [file('debug.log', 'Training completed! Saving trained model to ./out\n')],
    ],
    ['in a line that is not whole yet', [file('debug.log', head + starting + finish.trimEnd())]],
  ])('%s', (_, files) => {
    expect(readRun(axolotlReader, files).ending).toBeUndefined();
  });
});

test.each([
  ['no axolotl', 'a debug.log of any other program\n'],
  ['empty', ''],
])('a log that is %s says nothing', (_, content) => {
  expect(readRun(axolotlReader, [file('debug.log', content)]).facts).toEqual({});
});

test.each([
  ['broken off', '{\n  "base_model": "org/base",\n'],
  ['no JSON', '{\n  base_model\n}\n'],
  ['no object', 'base_model: org/base\n'],
  ['without an end', `{\n${'  "a": 1,\n'.repeat(20_000)}`],
])('a configuration that is %s is left out', (_, broken) => {
  const { facts, ending } = readRun(axolotlReader, [file('debug.log', head + broken + starting + finish)]);
  expect(facts).toEqual({ framework: 'axolotl' });
  expect(ending?.status).toBe('completed');
});

test('the log is believed by its loggers', () => {
  const proof = axolotlReader.recognise(directoryOf([{ path: 'debug.log' }]))?.proof;
  expect(proof?.believe(Buffer.from(head), 'debug.log')).toBe(true);
  expect(proof?.believe(Buffer.from('[INFO] [main] config:\n'), 'debug.log')).toBe(false);
});

obeysReaderLaws(axolotlReader, { whole: [file('debug.log', whole)] });
