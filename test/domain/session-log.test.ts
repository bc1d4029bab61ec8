import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { schemaText } from '../../src/commands/schema.ts';
import {
  renderSessionLog,
  type SessionLog,
  sessionLogJsonSchema,
  sessionLogSchema,
} from '../../src/domain/session-log.ts';

const smallest: SessionLog = {
  schemaVersion: 1,
  session: {
    id: 'run-7',
    status: 'completed',
    startedAt: '2026-01-31T12:00:00.000Z',
    revision: 1,
    agent: { version: '0.1.0', host: 'h' },
  },
  companions: [],
  missing: [],
  excluded: { files: 0, bytes: 0 },
  native: {},
  provenance: {},
  warnings: [],
};

const whole: SessionLog = {
  ...smallest,
  session: {
    ...smallest.session,
    name: 'run 7',
    endedAt: '2026-01-31T13:00:00Z',
    version: '2',
    sealedBy: 'result.json',
    framework: 'own',
  },
  user: { username: 'alice', sessionStartedAt: '2026-01-31T11:00:00Z' },
  pod: {
    id: 'p',
    provider: 'own',
    gpuType: 'A40',
    gpuCount: 2,
    costPerHour: 0.79,
    currency: 'USD',
    cost: 0.79,
  },
  config: {
    epochs: 3,
    batchSize: 16,
    learningRate: 2e-5,
    maxSteps: 9,
    seed: -1,
    model: 'm',
    dataset: 'd',
    raw: { a: [null] },
  },
  results: {
    durationSeconds: 3600,
    epochsCompleted: 2.5,
    stepsCompleted: 9,
    checkpointsSaved: [{ path: 'c', bytes: 1, savedAt: '2026-01-31T12:30:00Z' }],
    metrics: { loss: 0.5 },
    error: 'none',
  },
  history: {
    columns: ['step', 'loss'],
    rows: [
      [1, 0.5],
      [2, null],
    ],
    thinnedFrom: 4,
  },
  companions: [
    {
      path: 'a',
      key: 'k/a',
      bytes: 1,
      etag: 'e',
      partSize: 5,
      crc32: 'AAAAAA==',
      contentType: 'text/plain',
      truncated: false,
    },
  ],
  missing: [{ path: 'b', bytes: 2, reason: 'pending' }],
  native: { 'session.json': { id: 'run 7' } },
  provenance: { 'config.epochs': 'session.json' },
  warnings: ['w'],
};

describe('a rendered log', () => {
  test('is one line of JSON that reads back as the same log', () => {
    for (const log of [smallest, whole]) {
      const line = renderSessionLog(log);
      expect(line.indexOf('\n')).toBe(line.length - 1);
      expect(JSON.parse(line)).toEqual(log);
    }
  });

  test('has its keys in the order of the contract, whatever the order they came in', () => {
    const reversed = <T extends object>(of: T) => Object.fromEntries(Object.entries(of).reverse()) as T;
    const backwards = reversed({ ...whole, session: reversed(whole.session) });
    const written = JSON.parse(renderSessionLog(backwards)) as SessionLog;
    expect(Object.keys(written)).toEqual(
      'schemaVersion session user pod config results history companions missing excluded native provenance warnings'.split(
        ' ',
      ),
    );
    expect(Object.keys(written.session)).toEqual(
      'id name status startedAt endedAt version revision sealedBy framework agent'.split(' '),
    );
  });

  test('leaves out what is undefined', () => {
    expect(renderSessionLog({ ...smallest, user: undefined })).toBe(renderSessionLog(smallest));
  });

  test('holds no lone surrogate, which readers of JSON refuse', () => {
    const log = { ...smallest, warnings: ['a\ud800b', 'a\\ud800b', '\\\ud800', '😀'] };
    expect(JSON.parse(renderSessionLog(log)).warnings).toEqual(['a\ufffdb', 'a\\ud800b', '\\\ufffd', '😀']);
  });
});

describe('a log that breaks the contract is refused', () => {
  test.each([
    ['an id that is no legal id', { session: { ...smallest.session, id: '../x' } }],
    ['an unknown status', { session: { ...smallest.session, status: 'done' } }],
    ['a time with an offset', { session: { ...smallest.session, startedAt: '2026-01-31T12:00:00+01:00' } }],
    ['a revision of 0', { session: { ...smallest.session, revision: 0 } }],
    ['an unknown key', { extra: 1 }],
    ['an unknown key of a section', { pod: { gpus: 1 } }],
    ['NaN', { config: { epochs: Number.NaN } }],
    ['Infinity', { results: { durationSeconds: Number.POSITIVE_INFINITY } }],
    ['an unknown reason', { missing: [{ path: 'a', reason: 'lost' }] }],
    ['half a pod', { pod: { gpuCount: 0.5 } }],
  ])('%s', (_, part) => {
    expect(sessionLogSchema.safeParse({ ...smallest, ...part }).success).toBe(false);
  });
});

test('the committed JSON Schema is the one that the definition gives; `npm run schema` writes it', () => {
  const committed = readFileSync(new URL('../../config/session-log.schema.json', import.meta.url), 'utf8');
  expect(committed).toBe(schemaText());
});

test('the JSON Schema closes every section, opens every free map and describes every field', () => {
  const open: string[] = [];
  const undescribed: string[] = [];
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    const { properties, additionalProperties, items } = node as Record<
      string,
      Record<string, unknown> | undefined
    >;
    if (additionalProperties !== undefined && (additionalProperties as unknown) !== false) open.push(path);
    for (const [name, child] of Object.entries(properties ?? {})) {
      if (typeof (child as { description?: string }).description !== 'string')
        undescribed.push(`${path}.${name}`);
      visit(child, `${path}.${name}`);
    }
    visit(items, `${path}[]`);
  };
  visit(sessionLogJsonSchema(), '');
  expect(open).toEqual(['.config.raw', '.results.metrics', '.native', '.provenance']);
  expect(undescribed).toEqual([]);
});
