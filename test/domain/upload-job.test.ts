import { describe, expect, test } from 'vitest';
import type { FailureKind } from '../../src/domain/failure.ts';
import { advanceJob, type JobEvent, type JobState } from '../../src/domain/upload-job.ts';

/** The header's table, written out; the number is what becomes of 2 attempts, `-` is of no account. */
const table = `
  state      started      verified  transient  blocked    cancelled  permanent  vanished  changed    retried
  pending    uploading 2  -         -          -          -          -          gone      pending 0  -
  uploading  -            uploaded  pending 3  pending 2  pending 2  parked     gone      pending 0  -
  uploaded   -            -         -          -          -          -          -         pending 0  -
  parked     -            -         -          -          -          -          -         pending 0  pending 0
  gone       -            -         -          -          -          -          -         pending 0  -
`;

const [header = [], ...rows] = table
  .trim()
  .split('\n')
  .map((line) => line.trim().split(/\s{2,}/));
const cases = rows.flatMap((row) =>
  row.slice(1).map((to, at) => ({ from: row[0] ?? '', event: header[at + 1] ?? '', to })),
);

function jobAt(at: string, attempts: number): JobState {
  if (at === 'pending' || at === 'uploading') return { at, attempts };
  if (at === 'uploaded' || at === 'parked' || at === 'gone') return { at };
  throw new Error(`no state ${at}`);
}

const failures: readonly FailureKind[] = ['transient', 'blocked', 'cancelled', 'permanent'];

function eventOf(name: string): JobEvent {
  const kind = failures.find((one) => one === name);
  if (kind) return { type: 'failed', kind };
  if (name === 'started' || name === 'verified' || name === 'vanished') return { type: name };
  if (name === 'changed' || name === 'retried') return { type: name };
  throw new Error(`no event ${name}`);
}

describe('a companion on its way', () => {
  test('has a table of every state and event', () => {
    expect(cases).toHaveLength(5 * 9);
  });

  test.each(cases)('$from, on $event: $to', ({ from, event, to }) => {
    const before = jobAt(from, 2);
    const after = advanceJob(before, eventOf(event));
    const [at = '', attempts] = to.split(' ');
    if (to === '-') expect(after).toBe(before);
    else expect(after).toEqual(jobAt(at, Number(attempts)));
  });
});
