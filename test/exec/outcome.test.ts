import { describe, expect, test } from 'vitest';
import { correctedResult, type Run, resultDocument, statusOf } from '../../src/exec/outcome.ts';

const run = (more: Partial<Run>): Run => ({
  end: { code: 0 },
  wasAsked: false,
  startedAtMs: Date.UTC(2026, 0, 31),
  endedAtMs: Date.UTC(2026, 0, 31, 1),
  durationMs: 3_600_000.4,
  residentBytesMax: 4096,
  lines: [],
  lostBytes: {},
  ...more,
});

test.each([
  [{ end: { code: 0 } }, 'completed'],
  [{ end: { code: 0 }, wasAsked: true }, 'cancelled'],
  [{ end: { code: 1 }, wasAsked: true }, 'cancelled'],
  [{ end: { signal: 'SIGKILL' }, wasAsked: true }, 'cancelled'],
  [{ end: { code: 130 } }, 'cancelled'],
  [{ end: { signal: 'SIGTERM' } }, 'cancelled'],
  [{ end: { signal: 'SIGKILL' } }, 'failed'],
  [{ end: { signal: 'SIGSEGV' } }, 'failed'],
  [{ end: { code: 137 } }, 'failed'],
  [{ end: { code: 127, cause: 'it is not there' } }, 'failed'],
] as const)('%j is %s', (ended, status) => {
  expect(statusOf(run(ended))).toBe(status);
});

describe('resultDocument()', () => {
  test('of what went well says when, how long and how large', () => {
    expect(resultDocument(run({}))).toEqual({
      status: 'completed',
      startedAt: '2026-01-31T00:00:00.000Z',
      endedAt: '2026-01-31T01:00:00.000Z',
      durationSeconds: 3600,
      exitCode: 0,
      residentBytesMax: 4096,
    });
  });

  test('of what failed says why, without secrets and bounded', () => {
    const lines = ['x'.repeat(10_000), `ValueError: token=hf_${'a1'.repeat(15)}`];
    const { error, signal } = resultDocument(run({ end: { signal: 'SIGKILL' }, lines }));
    expect(signal).toBe('SIGKILL');
    expect(String(error).length).toBeLessThan(4100);
    expect(error).toMatch(/ValueError: token=\[redacted\]\nit was ended by SIGKILL \(.*memory ran out\)$/);
  });

  test('names the logs that miss something, and only those', () => {
    const { outputLostBytes } = resultDocument(run({ lostBytes: { 'stdout.log': 12, 'stderr.log': 0 } }));
    expect(outputLostBytes).toEqual({ 'stdout.log': 12 });
  });
});

test.each([
  ['nothing that can be read', undefined, { status: 'failed', a: 1 }],
  ['the same end', { status: 'failed', error: 'mine' }, undefined],
  ['no end', { metrics: { loss: 1 } }, { status: 'failed', a: 1, metrics: { loss: 1 } }],
  ['an end that did not come', { status: 'completed', metrics: {} }, { status: 'failed', a: 1, metrics: {} }],
])('a result of the command’s own with %s', (_, found, result) => {
  expect(correctedResult(found, { status: 'failed', a: 1 })).toEqual(result);
});

test('a command that says it failed is believed, also with exit code 0', () => {
  expect(correctedResult({ status: 'failed' }, { status: 'completed' })).toBeUndefined();
});
