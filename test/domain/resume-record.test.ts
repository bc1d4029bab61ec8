import { expect, test } from 'vitest';
import {
  isVoid,
  leadingParts,
  type ResumeRecord,
  readResumeRecord,
  renderResumeRecord,
  writeSchedule,
} from '../../src/domain/resume-record.ts';

const part = (number: number, sizeBytes = 8) => ({
  number,
  sizeBytes,
  etag: `e${number}`,
  crc32: 'AAAAAA==',
});
const layout = { firstBytes: 8, doublesEvery: 2 };
const record: ResumeRecord = {
  version: 1,
  session: 'run-7',
  path: 'out.log',
  key: 'training-logs/companions/2026/01/run-7/out.log',
  uploadId: '2~abc',
  contentType: 'text/plain',
  checksum: 'md5',
  layout,
  condition: { absent: true },
  parts: [part(1), part(2), part(3, 16)],
};

test.each<[string, ResumeRecord]>([
  ['a new object', record],
  ['one that replaces another', { ...record, condition: { etag: 'abc-2' } }],
  [
    'one of a host that says when it writes',
    { ...record, schedule: { ageMs: 0, everyMs: 1000 }, token: 't' },
  ],
  ['one that was given up', { ...record, parts: [] }],
])('the record of %s is read as it was written', (_, written) => {
  expect(readResumeRecord(renderResumeRecord(written))).toEqual(written);
});

test('a record that names no parts is void', () => {
  expect(isVoid(record)).toBe(false);
  expect(isVoid({ ...record, parts: [] })).toBe(true);
});

test.each([
  ['of a clock that was set back', -5, 1000, { ageMs: 0, everyMs: 1000 }],
  ['with fractions', 1.6, 2.4, { ageMs: 2, everyMs: 2 }],
  ['of what never ends', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, undefined],
])('a schedule %s can be written', (_, ageMs, everyMs, expected) => {
  const schedule = writeSchedule(ageMs, everyMs);
  if (expected) expect(schedule).toEqual(expected);
  expect(readResumeRecord(renderResumeRecord({ ...record, schedule }))?.schedule).toEqual(schedule);
});

test('what a later program adds is passed over', () => {
  expect(readResumeRecord(JSON.stringify({ ...record, note: 'new' }))).toEqual(record);
});

test.each<[string, string]>([
  ['nothing', ''],
  ['half of one', renderResumeRecord(record).slice(0, 90)],
  ['one of a later version', JSON.stringify({ ...record, version: 2 })],
  ['one with a gap', JSON.stringify({ ...record, parts: [part(1), part(3, 16)] })],
  ['one with a part that is not whole', JSON.stringify({ ...record, parts: [part(1), part(2, 7)] })],
  ['one that does not begin at the beginning', JSON.stringify({ ...record, parts: [part(2)] })],
  ['a list', '[]'],
  ['one with a checksum that is none', JSON.stringify({ ...record, parts: [{ ...part(1), crc32: 'AAAA' }] })],
  [
    'one of more parts than there can be',
    JSON.stringify({
      ...record,
      layout: { firstBytes: 8, doublesEvery: 0 },
      parts: Array.from({ length: 10_001 }, (_, at) => part(at + 1)),
    }),
  ],
])('%s is no record', (_, text) => {
  expect(readResumeRecord(text)).toBeUndefined();
});

test.each<[string, readonly ReturnType<typeof part>[], number]>([
  ['none', [], 0],
  ['all', [part(1), part(2), part(3, 16)], 3],
  ['up to the first gap', [part(1), part(3, 16), part(4, 16)], 1],
  ['none without the first', [part(2)], 0],
  ['up to one that was sent as the last', [part(1), part(2, 3)], 1],
])('the parts that another host can use: %s', (_, parts, count) => {
  expect(leadingParts(parts, layout)).toEqual(parts.slice(0, count));
});
