import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter, lineLengthMax } from '../../src/formats/parts/line-splitter.ts';

function linesOf(bytes: Buffer, chunkBytes = bytes.length || 1): { lines: string[]; unfinished: string } {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (let at = 0; at < bytes.length; at += chunkBytes) splitter.push(bytes.subarray(at, at + chunkBytes));
  return { lines, unfinished: splitter.unfinished };
}

test.each([
  ['a\nb\r\nc', ['a', 'b'], 'c'],
  ['  0%|  |\r 50%|= |\r100%|==|\ndone\n', ['100%|==|', 'done'], ''],
  ['  0%|  |\r 50%|= |\r', [], ' 50%|= |'],
  ['\u001b[31mred\u001b[0m \u001b]0;title\u0007x\u001b(B\u001b[A\n', ['red x'], ''],
  ['\ufeffword\n\n', ['word', ''], ''],
])('%j', (text, lines, unfinished) => {
  expect(linesOf(Buffer.from(text))).toEqual({ lines, unfinished });
});

test('UTF-16 of either order, and bytes that are no text', () => {
  const little = Buffer.from('\ufefflöss 1\nend\n', 'utf16le');
  const expected = { lines: ['löss 1', 'end'], unfinished: '' };
  expect(linesOf(little)).toEqual(expected);
  expect(linesOf(Buffer.from(little).swap16(), 3)).toEqual(expected);
  expect(linesOf(Buffer.from([0x61, 0xff, 0x62, 0x0a])).lines).toEqual(['a\ufffdb']);
});

test('the pieces do not matter', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'ü', '😀', '\r', '\n', '\u001b[1m', ' ') });
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 9 }), (content, chunkBytes) => {
      const bytes = Buffer.from(`abc${content}`);
      expect(linesOf(bytes, chunkBytes)).toEqual(linesOf(bytes));
    }),
  );
});

test('a line without an end and a progress bar without one are bounded', () => {
  const endless = linesOf(Buffer.from('x'.repeat(10 * lineLengthMax)), 1000);
  expect(endless.unfinished).toHaveLength(lineLengthMax);
  const bar = linesOf(Buffer.from(`${'\r 50%|=====     |'.repeat(10_000)}\r100%|==========|`), 1000);
  expect(bar.unfinished).toBe('100%|==========|');
});

test('where a line that is too long is cut into pieces does not matter either', () => {
  const long = 'x'.repeat(lineLengthMax + 100);
  for (const text of [`${long}\r12345\n`, `a\r${long}\r\r\n`, `${long}\r${long}\rend`, `${long}\ny\n`]) {
    const whole = linesOf(Buffer.from(text));
    for (const chunkBytes of [1, 7, 4096]) expect(linesOf(Buffer.from(text), chunkBytes)).toEqual(whole);
  }
  expect(linesOf(Buffer.from(`${long}\r12345\n`)).lines).toEqual(['12345']);
});

test('a megabyte of carriage returns costs no more than one of letters', () => {
  const startedAt = performance.now();
  expect(linesOf(Buffer.from(`${'\r'.repeat(1024 * 1024)}x\n`)).lines).toEqual(['x']);
  // By a regex for those at the end it takes minutes.
  expect(performance.now() - startedAt).toBeLessThan(5000);
});
