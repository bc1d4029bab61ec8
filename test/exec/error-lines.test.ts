import { expect, test } from 'vitest';
import { errorLines, plainLines } from '../../src/exec/error-lines.ts';
import { OutputTail } from '../../src/exec/output-tail.ts';

const traceback = (exception: string, prefix = '') =>
  ['Traceback (most recent call last):', '  File "a.py", line 1, in <module>', '    f()', exception]
    .map((line) => `${prefix}${line}\n`)
    .join('');

test('a traceback, from its head to its exception, whatever comes after it', () => {
  const stderr = `epoch 1\n${traceback('ValueError: no')}wandb: run ended\n`;
  expect(errorLines(stderr, '')).toEqual([
    'Traceback (most recent call last):',
    '  File "a.py", line 1, in <module>',
    '    f()',
    'ValueError: no',
  ]);
});

test('of several tracebacks the last, unless a launcher only reports a process that failed', () => {
  const worker = traceback('RuntimeError: shapes differ', '[rank1]: ');
  const launcher = traceback('torch.distributed.elastic.multiprocessing.errors.ChildFailedError:');
  expect(errorLines(traceback('KeyError: 1') + worker + launcher, '').at(-1)).toBe(
    '[rank1]: RuntimeError: shapes differ',
  );
  expect(errorLines(launcher, '').at(-1)).toContain('ChildFailedError');
});

test('an exception in a destructor of a program that ends is none', () => {
  const stderr = `Exception ignored in: <function F.__del__>\n${traceback('AttributeError: x')}Killed\n`;
  expect(errorLines(stderr, '')).toEqual(['Killed']);
});

test('memory that ran out is named beside a traceback that came of it', () => {
  const stderr = `CUDA out of memory. Tried to allocate 2 GiB\n${traceback('RuntimeError: worker died')}`;
  expect(errorLines(stderr, '')[0]).toBe('CUDA out of memory. Tried to allocate 2 GiB');
});

test('without a traceback the lines that look like errors, else the last ones, of stdout where stderr is empty', () => {
  expect(errorLines('ok\nerror: no such option\nbye\n', '')).toEqual(['error: no such option']);
  expect(errorLines('a\nb\n', 'c\n')).toEqual(['a', 'b']);
  expect(errorLines('', 'c\nd\n')).toEqual(['c', 'd']);
  expect(errorLines('noise\n', traceback('OSError: x')).at(-1)).toBe('OSError: x');
  expect(errorLines('', '')).toEqual([]);
});

test('what a terminal would show: no colours, of overwritten lines the last', () => {
  const [esc, bell] = ['\u001b', '\u0007'];
  const text = `${esc}[1;31mred${esc}[0m ${esc}]0;title${bell}end\r\n 10%\r 20%\r\n\n${esc}(B\u0000x`;
  expect(plainLines(text)).toEqual(['red end', ' 20%', '(Bx']);
});

test('a long traceback keeps its head and its end', () => {
  const frames = Array.from({ length: 500 }, (_, at) => `  File "a.py", line ${at}\n`).join('');
  const lines = errorLines(`Traceback (most recent call last):\n${frames}RecursionError: deep\n`, '');
  expect(lines.length).toBeLessThanOrEqual(41);
  expect([lines[0], lines.at(-1)]).toEqual(['Traceback (most recent call last):', 'RecursionError: deep']);
});

test('64 KiB of nothing but beginnings are read in no time', () => {
  for (const part of ['\u001b]', '[rank1]: ', 'Traceback (most recent call last):\n', 'error ', '\r'])
    expect(errorLines(part.repeat(65_536 / part.length), '').length).toBeLessThan(50);
});

test('OutputTail keeps the last bytes, however they come', () => {
  const tail = new OutputTail(10);
  for (const part of ['abc', '', 'defgh', 'ij', 'k'.repeat(25), 'lmnopq']) tail.push(Buffer.from(part));
  expect(tail.text()).toBe('kkkklmnopq');
  for (let at = 0; at < 5000; at++) tail.push(Buffer.from(String(at % 10)));
  expect(tail.text()).toBe('0123456789');
});
