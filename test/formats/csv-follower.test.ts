import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CsvFollower } from '../../src/formats/parts/csv-follower.ts';

function follow(bytes: Buffer | string, chunkBytes = 1 << 20) {
  const rows: unknown[][] = [];
  const headers: (readonly string[])[] = [];
  const csv = new CsvFollower({
    header: (names) => headers.push(names),
    row: (cells) => rows.push([...cells]),
  });
  const all = Buffer.from(bytes);
  for (let at = 0; at < all.length; at += chunkBytes) csv.push(all.subarray(at, at + chunkBytes));
  return { rows, headers, warnings: csv.warnings(), count: csv.rowCount };
}

test.each<[string, string, unknown[][]]>([
  [
    'numbers, texts and holes',
    'a,b,c\n1,x,\n,2.5e-3,-4\n',
    [
      [1, 'x', undefined],
      [undefined, 0.0025, -4],
    ],
  ],
  ['CRLF and padding', '  a,   b\r\n   1,  2 \r\n', [[1, 2]]],
  [
    'quotes',
    'a,b\n"x, ""y""",2\n"1","two\nlines"\n',
    [
      ['x, "y"', 2],
      [1, 'two\nlines'],
    ],
  ],
  ['a quote inside of a cell', 'a,b\n5" disk,6" disk\n', [['5" disk', '6" disk']]],
  ['a last line without an end, which waits', 'a\n1\n2', [[1]]],
  ['blank lines', 'a\n\n1\n\r\n2\n', [[1], [2]]],
  ['a byte order mark', '\ufeffa\n1\n', [[1]]],
  ['rows that are too short', 'a,b\n1\n', [[1]]],
])('reads %s', (_, text, rows) => {
  expect(follow(text)).toMatchObject({ rows, warnings: [] });
});

test('UTF-16 is read where its mark says so', () => {
  const little = Buffer.from('\ufeffé,b\n1,2\n', 'utf16le');
  expect(follow(little)).toMatchObject({ headers: [['é', 'b']], rows: [[1, 2]] });
  expect(follow(Buffer.from(little).swap16(), 1)).toMatchObject({ headers: [['é', 'b']], rows: [[1, 2]] });
});

test('a later line that begins like the header is one', () => {
  expect(follow('epoch,loss\n1,2\nepoch,loss,more\n1,3,4\n')).toMatchObject({
    headers: [
      ['epoch', 'loss'],
      ['epoch', 'loss', 'more'],
    ],
    rows: [
      [1, 2],
      [1, 3, 4],
    ],
    count: 2,
  });
});

test.each<[string, string, unknown[][], string]>([
  [
    'NaN and infinities',
    'a,b,c\nnan,-inf,Infinity\n',
    [[null, null, null]],
    'NaN or Infinity read as null: 3',
  ],
  ['more cells than names', 'a\n1,2\n', [[1]], 'rows with more cells than the header has names: 1'],
  [
    'endless lines',
    `a\n${'1'.repeat(300_000)}\n2\n`,
    [[2]],
    'lines of more than 262144 characters left out: 1',
  ],
  [
    'a quote that is not closed',
    `a\n"1\n${'2\n'.repeat(20)}`,
    Array.from({ length: 5 }, () => [2]),
    'rows left out for a quote that is not closed: 1',
  ],
  [
    'very many columns',
    `${Array.from({ length: 2000 }, (_, at) => `c${at}`).join(',')}\n`,
    [],
    'columns beyond 1024 left out: 1',
  ],
])('counts %s', (_, text, rows, warning) => {
  expect(follow(text)).toMatchObject({ rows, warnings: [warning] });
});

test('cuts make no difference', () => {
  const cells = fc.constantFrom('1', '-2.5', '', 'nan', 'x', '"a,b"', '"two\nlines"', ' 3 ', '"', 'é', '1e5');
  const lines = fc.array(
    fc.tuple(fc.array(cells, { minLength: 1, maxLength: 5 }), fc.constantFrom('\n', '\r\n')),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(lines, fc.integer({ min: 1, max: 40 }), (some, chunkBytes) => {
      const text = `a,b,c\n${some.map(([row, end]) => row.join(',') + end).join('')}`;
      expect(follow(text, chunkBytes)).toEqual(follow(text));
    }),
    { seed: 3, numRuns: 500 },
  );
});

test('a long file costs no memory of its length', () => {
  let count = 0;
  const csv = new CsvFollower({ row: () => (count += 1) });
  csv.push(Buffer.from('a,b\n'));
  const chunk = Buffer.from('1,2\n'.repeat(10_000));
  for (let at = 0; at < 100; at += 1) csv.push(chunk);
  expect([count, csv.rowCount]).toEqual([1_000_000, 1_000_000]);
});
