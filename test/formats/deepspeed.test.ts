import { expect, test } from 'vitest';
import { deepspeedReader } from '../../src/formats/deepspeed.ts';
import { type RunFile, readRun } from '../support/read-run.ts';
import { obeysReaderLaws } from '../support/reader-laws.ts';
import { directoryOf } from '../support/run-directory.ts';

function file(path: string, content: string): RunFile {
  return { path, bytes: Buffer.from(content), modifiedAtMs: 1_750_000_000_000 };
}

const files = [
  file('latest', 'global_step200'),
  file('global_step100/mp_rank_00_model_states.pt', 'weights'),
  file('global_step200/mp_rank_00_model_states.pt', 'weights'),
  file('global_step200/zero_pp_rank_0_mp_rank_00_optim_states.pt', 'optimizer'),
  file('global_step300/mp_rank_00_model_states.pt', 'half'),
];

test('the newest whole checkpoint says how far it is', () => {
  const savedAt = '2025-06-15T15:06:40.000Z';
  expect(readRun(deepspeedReader, files)).toEqual({
    facts: {
      framework: 'deepspeed',
      results: {
        stepsCompleted: 200,
        checkpointsSaved: [
          { path: 'global_step100', bytes: 7, savedAt },
          { path: 'global_step200', bytes: 16, savedAt },
        ],
      },
    },
    provenance: {
      'session.framework': 'latest',
      'results.stepsCompleted': 'latest',
      'results.checkpointsSaved': 'latest',
    },
    documents: {},
    warnings: [],
    unread: [],
  });
});

test.each(['', 'v1.2.3', 'global_step', 'global_step1x', '{"a": 1}'])(
  'a file of that name that says %j says nothing',
  (content) => {
    const { facts, unread } = readRun(deepspeedReader, [file('latest', content)]);
    expect(facts).toEqual({});
    expect(unread).toEqual(['latest: expected the name of a checkpoint like global_step100']);
  },
);

test('a directory is one by the file and a checkpoint together', () => {
  expect(deepspeedReader.recognise(directoryOf(files))).toMatchObject({
    confidence: 'likely',
    reason: 'latest',
  });
  expect(deepspeedReader.recognise(directoryOf(files.slice(0, 1)))).toBeUndefined();
  expect(deepspeedReader.recognise(directoryOf(files.slice(1)))).toBeUndefined();
  expect(deepspeedReader.recognise(directoryOf(files, 'checkpoint-200'))).toBeUndefined();
});

obeysReaderLaws(deepspeedReader, { files });
