import { describe, expect, test } from 'vitest';
import { torchrunReader } from '../../src/formats/torchrun.ts';
import { type RunFile, readRun } from '../support/read-run.ts';
import { obeysReaderLaws } from '../support/reader-laws.ts';
import { hasSamples, sample } from '../support/real-samples.ts';
import { directoryOf } from '../support/run-directory.ts';

const now = 1_750_000_000_000;
const minute = 60_000;
const base = 'logs/none_ab12cd34';

function file(path: string, content: string | object, modifiedAtMs = now): RunFile {
  return {
    path,
    bytes: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
    modifiedAtMs,
  };
}

function read(...files: RunFile[]) {
  return readRun(torchrunReader, files);
}

function error(
  message: string,
  timestamp: string | number = '1749999990',
  stack = 'Traceback (most recent call last):\n  File "a.py", line 1\n',
) {
  return { message: { message, extraInfo: { py_callstack: stack, timestamp } } };
}

const first = [
  file(`${base}/attempt_0/0/stdout.log`, 'step 1: loss=5\nstep 2: loss=4\n'),
  file(
    `${base}/attempt_0/0/stderr.log`,
    'Traceback (most recent call last):\n  File "a.py"\nRuntimeError: NCCL\n',
  ),
  file(`${base}/attempt_0/0/error.json`, error('RuntimeError: NCCL')),
  file(`${base}/attempt_0/1/stdout.log`, 'step 1: loss=50\n'),
];
const second = [
  file(`${base}/attempt_1/0/stdout.log`, 'step 2: loss=3.5\nstep 3: loss=3\n'),
  file(`${base}/attempt_1/1/stdout.log`, ''),
];
const failed = [...first, ...second, file(`${base}/attempt_1/1/error.json`, error('ValueError: bad batch'))];

obeysReaderLaws(torchrunReader, { restarted: [...first, ...second], failed });

test('attempts follow one another in the history, rank 0 speaks', () => {
  const { facts, provenance } = read(...first, ...second);
  expect(facts).toEqual({
    results: { stepsCompleted: 3, metrics: { loss: 3 } },
    history: {
      columns: ['step', 'loss'],
      rows: [
        [1, 5],
        [2, 3.5],
        [3, 3],
      ],
    },
  });
  expect(new Set(Object.values(provenance))).toEqual(new Set([`${base}/attempt_1/0/stdout.log`]));
});

test('the error of the last attempt is the end, with its message and innermost lines', () => {
  expect(read(...failed).ending).toEqual({
    status: 'failed',
    by: `${base}/attempt_1/1/error.json`,
    error: 'ValueError: bad batch\nTraceback (most recent call last):\n  File "a.py", line 1',
    quietMs: minute,
  });
});

test('the rank that failed first is the cause', () => {
  const { ending } = read(
    file(`${base}/attempt_0/0/error.json`, error('later', 1_750_000_009)),
    file(`${base}/attempt_0/1/error.json`, error('first', '1750000003')),
    file(`${base}/attempt_0/2/error.json`, { message: 'of an older version, without a time' }),
  );
  expect(ending).toMatchObject({ by: `${base}/attempt_0/1/error.json` });
});

test('a long call stack is cut to the lines that tell', () => {
  const stack = Array.from({ length: 5000 }, (_, at) => `line ${at}`).join('\n');
  const told = read(file(`${base}/attempt_0/0/error.json`, error('E', 0, stack))).ending?.error;
  expect(told?.split('\n')).toEqual(['E', ...Array.from({ length: 12 }, (_, at) => `line ${4988 + at}`)]);
});

test('without an error.json the logs of the last attempt are asked', () => {
  const { ending } = read(
    ...first,
    file(
      `${base}/attempt_1/0/stderr.log`,
      'Traceback (most recent call last):\n  File "b.py"\nKeyError: 1\n',
    ),
  );
  expect(ending).toMatchObject({ status: 'failed', by: `${base}/attempt_1/0/stderr.log`, quietMs: minute });
});

describe('no end is told by', () => {
  test.each<[string, RunFile[]]>([
    ['an attempt after which another was made', [...first, ...second]],
    ['an attempt before the training wrote on', [...failed, file('model.pt', 'x', now + 2 * minute)]],
    [
      'an earlier launch',
      [...failed, file('logs/none_zz999999/attempt_0/0/stdout.log', 'step 1: loss=5\n', now + 1)],
    ],
    ['an empty error.json', [...first, file(`${base}/attempt_2/0/error.json`, '')]],
    [
      'an error.json of somebody else',
      [file('attempt_2/error.json', error('x')), file('error.json', error('x'))],
    ],
  ])('%s', (_, files) => {
    expect(read(...files).ending).toBeUndefined();
  });
});

test('it makes no session of its own: what it launched does', () => {
  expect(torchrunReader.recognise(directoryOf(failed))).toBeUndefined();
});

test('of hundreds of ranks the lowest of the last attempts are followed', () => {
  const files = Array.from({ length: 300 }, (_, rank) => ({
    path: `${base}/attempt_${rank % 2}/${rank}/stdout.log`,
    sizeBytes: 1,
    modifiedAtMs: now,
  }));
  const chosen = torchrunReader.select(files).map(({ path }) => path);
  expect(chosen).toHaveLength(64);
  expect(chosen.slice(0, 2)).toEqual([`${base}/attempt_1/1/stdout.log`, `${base}/attempt_1/3/stdout.log`]);
});

test.runIf(hasSamples)('the layout of the writer itself', () => {
  expect(read(sample('synthetic', /^error\.json$/, `${base}/attempt_0/0/error.json`)).ending).toMatchObject({
    status: 'failed',
    error: 'RuntimeError: CUDA out of memory.\nTraceback (most recent call last): ...',
  });
});
