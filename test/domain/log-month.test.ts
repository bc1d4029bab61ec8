import { expect, test } from 'vitest';
import { logKeyReader, logKeysOf, logPlaces, monthInId, monthsBack } from '../../src/domain/log-month.ts';
import { foreignKey, sessionLogKey } from '../../src/domain/object-key.ts';

const now = Date.UTC(2026, 10, 28);

test('months go back from the present one to the first that is believed', () => {
  const months = monthsBack(now);
  expect(months.slice(0, 3)).toEqual(['2026-11', '2026-10', '2026-09']);
  expect(months.at(-1)).toBe('2015-01');
  expect(months).toHaveLength(11 * 12 + 11);
  expect(monthsBack(Date.UTC(2010, 0))).toEqual([]);
  expect(monthsBack(Date.UTC(2015, 0, 31))).toEqual(['2015-01']);
});

test.each<[string, string, boolean, number]>([
  ['training-logs/{year}/{month}/{session-id}.log', 'training-logs/2026/11/', true, 2],
  ['{year}-{month}-{session-id}', '2026-11-', true, 2],
  ['a/{year}/{session-id}/{month}.json', 'a/2026/', false, 1],
  ['a/{session-id}/{year}/{month}', 'a/', false, 1],
  ['training-logs/{session-id}.log', 'training-logs/', true, 1],
])('logs under %j are listed at %j', (template, prefix, isFlat, count) => {
  const places = logPlaces(template, ['2026-11', '2026-10']);
  expect(places[0]).toMatchObject({ prefix, isFlat });
  expect(places).toHaveLength(count);
  expect(places.flatMap(({ months }) => months)).toEqual(['2026-11', '2026-10']);
});

test.each<[string, string | undefined]>([
  ['training-logs/{year}/{month}/{session-id}.log', '2026-11'],
  ['{year}{month}{session-id}', '2026-11'],
  ['a+(b)/{session-id}/{year}.{month}/{session-id}', '2026-11'],
  ['training-logs/{session-id}.log', undefined],
])('a key of %j tells whose log lies there', (template, month) => {
  const read = logKeyReader(template);
  const id = 'run.log-7';
  expect(read(sessionLogKey(template, now, id))).toEqual(month === undefined ? { id } : { id, month });
});

test.each([
  'training-logs/companions/2026/11/run/train.log',
  'training-logs/2026/13/run.log',
  'training-logs/2026/11/run/deeper.log',
  'training-logs/2026/11/-run.log',
  'training-logs/2026/11/run.log\n',
  'training-logs/2026/11/.log',
])('%j is no key of a log', (key) => {
  expect(logKeyReader('training-logs/{year}/{month}/{session-id}.log')(key)).toBeUndefined();
});

test('a generated id is looked for first where it says that it began', () => {
  const template = 'l/{year}/{month}/{session-id}.log';
  const id = 'runs-exp1-20240317T101112Z-3fa2c1';
  expect(monthInId(id)).toBe('2024-03');
  expect(monthInId('run-20241317T101112Z-3fa2c1')).toBeUndefined();
  expect(logKeysOf(template, ['2026-11', '2024-03'], id)).toEqual([
    `l/2024/03/${id}.log`,
    `l/2026/11/${id}.log`,
  ]);
  expect(logKeysOf('l/{session-id}', ['2026-11', '2024-03'], 'x')).toEqual(['l/x']);
});

test('a key that does not begin as ours do is foreign', () => {
  const template = 'training-logs/{year}/{month}/{session-id}.log';
  expect(foreignKey(template, 'training-logs/companions/x')).toBeUndefined();
  for (const key of ['', 'secrets/x', 'training-log', '../training-logs/x'])
    expect(foreignKey(template, key)).toContain('does not begin with "training-logs/"');
});
