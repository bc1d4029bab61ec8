import { expect, test } from 'vitest';
import { columnsOf } from '../../src/commands/columns.ts';
import { FetchProgress } from '../../src/commands/fetch-progress.ts';

const mib = 1024 * 1024;

function watched(columns: number) {
  let nowMs = 0;
  let shown = '';
  const edge = {
    stderrIsTerminal: true,
    stderrColumns: () => columns,
    stderr: (text: string) => {
      shown = text.replace('\r\u001b[K', '');
    },
  };
  const log = {
    companions: ['large.npz', '練'.repeat(60)].map((path) => ({
      path,
      key: path,
      bytes: 100 * mib,
      etag: '',
    })),
  };
  const progress = new FetchProgress(edge, log, { monotonicMs: () => nowMs });
  return {
    progress,
    shown: () => shown,
    after: (ms: number) => {
      nowMs += ms;
    },
  };
}

test('the rate is that of the link: what an interrupted get left on disk does not count', () => {
  const { progress, shown, after } = watched(80);
  after(60_000);
  progress.arrived('large.npz', 80 * mib, 'disk');
  expect(shown()).toBe('40%  80.0 MiB of 200 MiB  large.npz');
  after(300);
  progress.arrived('large.npz', 81 * mib, 'destination');
  after(2000);
  progress.arrived('large.npz', 84 * mib, 'destination');
  expect(shown()).toBe('42%  84.0 MiB of 200 MiB  2.00 MiB/s  58s left  large.npz');
  // The connection broke, and what has arrived is read once more.
  progress.arrived('large.npz', 10 * mib, 'disk');
  progress.arrived('large.npz', 84 * mib, 'disk');
  after(2000);
  progress.arrived('large.npz', 88 * mib, 'destination');
  expect(shown()).toBe('44%  88.0 MiB of 200 MiB  2.00 MiB/s  56s left  large.npz');
});

test.each([80, 30, 12])('the line fits a terminal of %i columns, whatever files are called', (columns) => {
  const { progress, shown, after } = watched(columns);
  after(2000);
  progress.arrived('練'.repeat(60), mib, 'destination');
  after(2000);
  progress.arrived('練'.repeat(60), 2 * mib, 'destination');
  expect(columnsOf(shown())).toBeLessThan(columns);
});
