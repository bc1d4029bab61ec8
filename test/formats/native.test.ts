import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nativeReader, readOneFileSession } from '../../src/formats/native.ts';
import { type RunFile, readRun } from '../support/read-run.ts';
import { obeysReaderLaws } from '../support/reader-laws.ts';

function file(path: string, content: unknown): RunFile {
  return { path, bytes: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)) };
}

const assess = (files: readonly RunFile[]) => readRun(nativeReader, files);

const session = {
  id: 'run 7',
  version: 2,
  startedAt: '2026-01-31T12:00:00+02:00',
  user: { username: 'alice', sessionStartedAt: 1_769_860_000 },
  pod: { id: 'p1', gpuType: 'A40', gpuCount: '2', costPerHour: 0.79, currency: 'USD', provider: 'own' },
  config: {
    epochs: 3,
    batchSize: '16',
    learningRate: '2e-5',
    maxSteps: 100,
    seed: 42,
    model: 'm',
    dataset: 'd',
    extra: [1],
  },
  note: 'kept in the document',
};
const result = {
  status: 'failed',
  endedAt: '2026-01-31T13:00:00Z',
  durationSeconds: 3600,
  checkpointsSaved: ['a/checkpoint-1', { path: 'b', bytes: 5, savedAt: '2026-01-31T12:30:00Z' }],
  metrics: { loss: 0.25, deep: { x: [1] } },
  error: { message: 'out of memory' },
};

test('both files together say who, where, with what, and how it ended', () => {
  const assessment = assess([file('result.json', result), file('session.json', session)]);
  expect(assessment).toEqual({
    facts: {
      id: 'run 7',
      version: '2',
      startedAt: '2026-01-31T10:00:00.000Z',
      endedAt: '2026-01-31T13:00:00.000Z',
      user: { username: 'alice', sessionStartedAt: '2026-01-31T11:46:40.000Z' },
      pod: { id: 'p1', gpuType: 'A40', gpuCount: 2, costPerHour: 0.79, currency: 'USD', provider: 'own' },
      config: {
        epochs: 3,
        batchSize: 16,
        learningRate: 2e-5,
        maxSteps: 100,
        seed: 42,
        model: 'm',
        dataset: 'd',
        raw: session.config,
      },
      results: {
        durationSeconds: 3600,
        checkpointsSaved: [
          { path: 'a/checkpoint-1' },
          { path: 'b', bytes: 5, savedAt: '2026-01-31T12:30:00.000Z' },
        ],
        metrics: result.metrics,
        error: 'out of memory',
      },
    },
    provenance: expect.objectContaining({
      'session.startedAt': 'session.json',
      'session.endedAt': 'result.json',
      'session.status': 'result.json',
      'pod.gpuType': 'session.json',
      'config.epochs': 'session.json',
      'config.raw': 'session.json',
      'results.metrics': 'result.json',
    }),
    ending: {
      status: 'failed',
      by: 'result.json',
      endedAt: '2026-01-31T13:00:00.000Z',
      error: 'out of memory',
    },
    documents: { 'session.json': session, 'result.json': result },
    warnings: [],
    unread: [],
  });
});

describe('a field of the wrong kind is dropped with a warning, the rest stays', () => {
  test.each([
    [{ id: ['x'] }, 'id is left out: expected a text, found an array'],
    [
      { startedAt: 'yesterday' },
      'startedAt is left out: expected a time like 2026-01-31T12:00:00Z, found a text of 9 characters',
    ],
    [{ startedAt: '2026-01-31T12:00:00' }, 'startedAt has no offset, read as UTC'],
    [{ user: 'alice' }, 'user is left out: expected an object, found a text of 5 characters'],
    [{ user: { username: {} } }, 'user.username is left out: expected a text, found an object'],
    [{ pod: { gpuCount: 0 } }, 'pod.gpuCount is left out: expected a whole number from 1, found 0'],
    [{ pod: { gpuCount: 1.5 } }, 'pod.gpuCount is left out: expected a whole number from 1, found 1.5'],
    [{ pod: { costPerHour: -1 } }, 'pod.costPerHour is left out: expected a number from 0, found -1'],
    [
      { config: { epochs: '3 or so' } },
      'config.epochs is left out: expected a number from 0, found a text of 7 characters',
    ],
    [
      { config: { epochs: '9223372036854775807' } },
      'config.epochs is left out: expected a number from 0, found a text of 19 characters',
    ],
    [{ config: { model: { name: 'm' } } }, 'config.model is left out: expected a text, found an object'],
    [{ version: 'x'.repeat(5000) }, 'version is 5000 characters long, cut at 4096'],
  ])('session.json %j', (document, warning) => {
    const assessment = assess([file('session.json', { framework: 'own', ...document })]);
    expect(assessment.warnings).toEqual([`session.json: ${warning}`]);
    expect(assessment.documents).toEqual({ 'session.json': { framework: 'own', ...document } });
    expect(assessment.unread).toEqual([]);
  });

  test.each([
    [{ status: 'done' }, 'status is no end: expected completed, failed, cancelled, found "done"'],
    [{ status: 'running' }, 'status is no end: expected completed, failed, cancelled, found "running"'],
    [{ metrics: {} }, 'status is no end: expected completed, failed, cancelled, found nothing'],
    [{ status: ['completed'] }, 'status is no end: expected completed, failed, cancelled, found an array'],
  ])('result.json %j is no end', (document, warning) => {
    const assessment = assess([file('result.json', document)]);
    expect(assessment.warnings).toEqual([`result.json: ${warning}`]);
    expect(assessment.ending).toBeUndefined();
  });

  test('checkpoints that are no paths are named, the others kept', () => {
    const document = { status: 'completed', checkpointsSaved: ['a', 7, { path: 'b', bytes: 'many' }] };
    const assessment = assess([file('result.json', document)]);
    expect(assessment.facts.results?.checkpointsSaved).toEqual([{ path: 'a' }, { path: 'b' }]);
    expect(assessment.warnings).toEqual([
      'result.json: checkpointsSaved[1] is left out: expected a path, found 7',
      'result.json: checkpointsSaved[2].bytes is left out: expected a whole number from 0, found a text of 4 characters',
    ]);
  });

  test('a number of checkpoints stays in the document alone', () => {
    const assessment = assess([file('result.json', { status: 'completed', checkpointsSaved: 3 })]);
    expect(assessment.facts.results).toBeUndefined();
    expect(assessment.warnings).toEqual([]);
  });

  test('null says nothing and needs no warning', () => {
    const assessment = assess([file('session.json', { id: null, pod: null, user: { username: null } })]);
    expect(assessment.facts).toEqual({ user: {} });
    expect(assessment.warnings).toEqual([]);
  });

  test('no text of a field that was dropped is repeated, it may be a secret in the wrong place', () => {
    const assessment = assess([
      file('session.json', { pod: 'top-secret', config: { epochs: 'top-secret' } }),
    ]);
    expect(assessment.warnings.join()).not.toContain('top-secret');
  });
});

describe('a file that cannot be read ships as a companion', () => {
  test.each([
    ['an array', '[1]', 'expected an object, found an array'],
    ['half written', '{"status": "comp', 'the file ends in the middle at byte 16'],
    ['200 levels deep', '['.repeat(200), 'more than 64 levels deep at byte 64'],
    ['empty', '', 'an empty file'],
  ])('%s', (_, content, message) => {
    const assessment = assess([file('session.json', session), file('result.json', content)]);
    expect(assessment.unread).toEqual([`result.json: ${message}`]);
    expect(assessment.warnings).toEqual([]);
    expect(Object.keys(assessment.documents)).toEqual(['session.json']);
    expect(assessment.ending).toBeUndefined();
  });

  test('because it is too large', () => {
    const large = file('session.json', `{"note": "${'x'.repeat(1024 * 1024)}"}`);
    expect(assess([large]).unread).toEqual([
      'session.json: 1048588 bytes, more than the 1048576 that are read',
    ]);
  });
});

const directoryOf = (...names: string[]) => ({
  name: 'run',
  names: new Set(names),
  below: () => new Set<string>(),
});

test('only the two files straight in the session are wanted', () => {
  const infos = ['session.json', 'result.json', 'eval/result.json', 'a.json'].map((path) => ({
    path,
    sizeBytes: 1,
    modifiedAtMs: 0,
  }));
  expect(nativeReader.select(infos)).toMatchObject([
    { path: 'session.json', manner: 'whole', keep: 'native', bytesMax: 1024 * 1024 },
    { path: 'result.json', manner: 'whole', keep: 'native', bytesMax: 1024 * 1024 },
  ]);
  expect(nativeReader.recognise(directoryOf('session.json'))?.confidence).toBe('certain');
  expect(nativeReader.recognise(directoryOf('result.json'))?.confidence).toBe('likely');
  expect(nativeReader.recognise(directoryOf('session.json.tmp', 'a'))).toBeUndefined();
});

describe('one file as a session', () => {
  test('it may carry its own end', () => {
    const content = { ...session, ...result, status: 'completed' };
    const assessment = readOneFileSession('run7.json', Buffer.from(JSON.stringify(content)));
    expect(assessment).toMatchObject({
      facts: { id: 'run 7', results: { durationSeconds: 3600 } },
      provenance: { 'config.epochs': 'run7.json' },
      ending: { status: 'completed', by: 'run7.json', endedAt: '2026-01-31T13:00:00.000Z' },
      documents: { 'run7.json': content },
      warnings: [],
    });
  });

  test.each([
    ['{"id": "a"}', true],
    ['{"startedAt": "2026-01-31T12:00:00Z", "status": "running"}', true],
    ['{"id": "a", "pod": {}}', true],
    ['{"id": "a", "pod": []}', false],
    ['{"config": {"epochs": 1}}', false],
    ['{"startedAt": "soon"}', false],
    ['{"loss": 0.5}', false],
    ['["id"]', false],
    ['{"id": "a"', false],
    ['', false],
  ])('%s: %s', (content, isSession) => {
    const assessment = readOneFileSession('x.json', Buffer.from(content));
    expect(assessment !== undefined).toBe(isSession);
    expect(assessment?.warnings ?? []).toEqual([]);
    expect(assessment?.ending).toBeUndefined();
  });
});

test('no content makes the reader throw, and every document that it keeps is JSON', () => {
  const field = fc.constantFrom(
    'id',
    'startedAt',
    'user',
    'pod',
    'config',
    'status',
    'checkpointsSaved',
    'metrics',
    'error',
    'endedAt',
  );
  const inner = fc.dictionary(
    fc.constantFrom('username', 'gpuCount', 'epochs', 'path', '__proto__', 'x'),
    fc.jsonValue(),
  );
  const document = fc.dictionary(field, fc.oneof(fc.jsonValue(), inner, fc.array(inner)));
  const content = fc.oneof(
    document.map((value) => JSON.stringify(value)),
    fc.string(),
  );
  fc.assert(
    fc.property(content, (text) => {
      const files = [file('session.json', text), file('result.json', text)];
      const assessment = assess(files);
      expect(JSON.parse(JSON.stringify(assessment.documents))).toEqual(assessment.documents);
      readOneFileSession('x.json', Buffer.from(text));
    }),
  );
});

describe('native files of any kind', () => {
  obeysReaderLaws(nativeReader, {
    'both documents': [file('session.json', session), file('result.json', result)],
    'a session alone': [file('session.json', session)],
    'a result of few words': [file('result.json', { status: 'completed' })],
  });
});
