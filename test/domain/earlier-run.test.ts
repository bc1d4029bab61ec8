import { expect, test } from 'vitest';
import { type Beginning, begunAtMs } from '../../src/domain/earlier-run.ts';

const noon = Date.UTC(2026, 0, 31, 12);
const hour = 3_600_000;

test.each<[string, Beginning, number]>([
  ['nothing', { pidAtMs: undefined, session: undefined }, Number.NEGATIVE_INFINITY],
  ['session.pid', { pidAtMs: noon, session: undefined }, noon],
  [
    'session.json and the start that it names, clocks being seconds apart',
    { pidAtMs: undefined, session: { startedAtMs: noon, writtenAtMs: noon + 500 } },
    noon - 10_000,
  ],
  [
    'session.json, where its start is a local time written as if it were UTC',
    { pidAtMs: undefined, session: { startedAtMs: noon + 8 * hour, writtenAtMs: noon } },
    noon,
  ],
  [
    'its start alone, where session.json was written anew',
    { pidAtMs: undefined, session: { startedAtMs: noon, writtenAtMs: noon + 5 * hour } },
    noon - 10_000,
  ],
  [
    'the later of the two',
    { pidAtMs: noon + hour, session: { startedAtMs: noon, writtenAtMs: noon } },
    noon + hour,
  ],
])('when a run was begun is told by %s', (_, beginning, atMs) => {
  expect(begunAtMs(beginning)).toBe(atMs);
});
