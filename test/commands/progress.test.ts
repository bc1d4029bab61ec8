import { expect, test } from 'vitest';
import { columnsOf } from '../../src/commands/columns.ts';
import { Progress, progressLines, Volume } from '../../src/commands/progress.ts';
import { MovingTransfer } from '../../src/services/active-transfer.ts';

const mib = 1024 * 1024;

const upload = { session: 'run-1', path: 'out/stdout.log', sizeBytes: 100 * mib, sentBytes: 25 * mib };
const state = {
  ...{ hasLooked: true, folder: '/data', open: 0, shipped: 1, sessions: 4, pendingFiles: 3 },
  ...{ doneBytes: 50 * mib, totalBytes: 200 * mib, bytesPerSecond: 10 * mib },
  uploads: [{ ...upload, readBytes: 0, startedMs: 5, bytesPerSecond: 5 * mib }],
};

test('drain shows how much of all is there, how fast, how long yet, and what is under way', () => {
  expect(progressLines(state, 79)).toEqual([
    '  1 of 4 sessions there, 3 files to go',
    '  [#####---------------] 25 %  50.0 of 200 MiB  10.0 MiB/s  15 s left',
    '  [#####---------------] 25 %  25.0 of 100 MiB  out/stdout.log of run-1',
  ]);
});

test.each([
  [{ sessions: 0, hasLooked: false }, '  looking in /data'],
  [{ sessions: 0 }, '  nothing to send yet in /data'],
  [{ pendingFiles: 0, open: 3 }, '  1 of 4 sessions there, waiting for files to come to rest'],
  [{ pendingFiles: 0 }, '  1 of 4 sessions there'],
])('before and after there is something to send it says so: %j', (with_, line) => {
  expect(progressLines({ ...state, uploads: [], ...with_ }, 79)).toEqual([line]);
});

test('no line is wider than the terminal, whatever files are called, and the longest under way stay on top', () => {
  const uploads = [3, 1, 2, 5, 4].map((startedMs) => ({
    ...state.uploads[0],
    ...{
      ...upload,
      session: `s${'訓'.repeat(startedMs * 9)}`,
      path: `${startedMs}\u001b[2J\n${'練'.repeat(60)}`,
    },
    ...{ readBytes: 0, startedMs, bytesPerSecond: undefined },
  }));
  for (const columns of [30, 59, 79, 119]) {
    const lines = progressLines({ ...state, uploads }, columns);
    expect(lines).toHaveLength(6);
    for (const line of lines) {
      expect(columnsOf(line)).toBeLessThanOrEqual(columns);
      expect(line).not.toMatch(/\p{Cc}/u);
    }
  }
});

test('what is there does not become less when more is found, and all of it is all', () => {
  const volume = new Volume();
  expect(volume.look(100, 0)).toEqual({ doneBytes: 0, totalBytes: 100 });
  expect(volume.look(100, 40)).toEqual({ doneBytes: 40, totalBytes: 100 });
  expect(volume.look(50, 0)).toEqual({ doneBytes: 50, totalBytes: 100 });
  expect(volume.look(250, 10)).toEqual({ doneBytes: 60, totalBytes: 300 });
  expect(volume.look(0, 0)).toEqual({ doneBytes: 300, totalBytes: 300 });
  expect([volume.arrived(8), volume.arrived(9)]).toEqual([0, 1]);
});

test('what is no terminal gets the lines that are said, and no escapes', () => {
  const said: string[] = [];
  const progress = new Progress({ stderrIsTerminal: false, stderr: (text) => void said.push(text) });
  progress.say('one\n');
  progress.ending(25_000);
  progress.end();
  expect(said).toEqual(['one\n']);
});

test('a rate is that of the last seconds, of this try alone', () => {
  let nowMs = 0;
  const moving = new MovingTransfer(upload, { monotonicMs: () => nowMs });
  // Half of it was there from an earlier life.
  moving.moved(50 * mib);
  expect(moving.bytesPerSecond).toBeUndefined();
  nowMs = 2_000;
  moving.moved(52 * mib);
  expect(moving.bytesPerSecond).toBe(mib);
  for (nowMs = 3_000; nowMs <= 30_000; nowMs += 500) moving.moved(52 * mib + nowMs * 1000);
  expect(moving.bytesPerSecond).toBeCloseTo(1_000_000, -5);
  nowMs = 60_000;
  expect(moving.bytesPerSecond).toBeLessThan(500_000);
  moving.moved(0);
  expect(moving.bytesPerSecond).toBeUndefined();
});
