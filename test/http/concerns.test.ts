import { expect, test } from 'vitest';
import type { Finding } from '../../src/domain/finding.ts';
import { concernsOf } from '../../src/http/concerns.ts';
import type { Report } from '../../src/ports/report.ts';

const nowMs = Date.UTC(2026, 0, 31, 12);
const blocked = { code: 'InvalidAccessKeyId', cause: 'c', remedy: 'r', sinceMs: 60_000 };
const unknownKey: Finding = {
  code: 'credentials.keyUnknown',
  level: 'critical',
  finding: 'the key is unknown',
};
const full: Finding = {
  code: 'disk.free',
  level: 'warning',
  finding: 'the disk is full',
  remedy: 'free space',
};
const credentials = { source: 'instance role', problem: 'no answer' };

const reported = (ageMs: number, ...findings: Finding[]) =>
  ({ at: new Date(nowMs - ageMs).toISOString(), findings }) as unknown as Report;

test.each([
  ['nothing when nothing is the matter', {}, reported(0), []],
  ['a destination that is blocked', { blocked }, undefined, ['The destination cannot be used, for 1 min: c']],
  ['its cause, once a report has looked', { blocked }, reported(30_000, unknownKey), ['the key is unknown']],
  [
    'both, where the report is from before',
    { blocked },
    reported(90_000, unknownKey),
    ['The destination cannot be used, for 1 min: c', 'the key is unknown'],
  ],
  [
    'how things are now, and not how a report saw them',
    {},
    reported(0, { ...full, code: 'agent.blocked' }, { ...full, code: 'agent.parked' }, full),
    ['the disk is full'],
  ],
  ['a folder that is away', { folderState: 'missing' }, undefined, ['The watched folder is missing: /data']],
  ['credentials that were not renewed', { credentials }, reported(0), ['Credentials could not be renewed']],
  [
    'these once',
    { credentials },
    reported(0, { ...full, code: 'credentials.renewal', finding: 'not renewed' }),
    ['not renewed'],
  ],
] as const)('the page tells %s', (_, status, report, expected) => {
  const titles = concernsOf({ folder: '/data', ...status }, report, nowMs).map(({ title }) =>
    title.text.replaceAll(/<[^>]*>/g, ''),
  );
  expect(titles).toEqual(expected);
});
