import { setTimeout } from 'node:timers/promises';
import { type Row, rounded } from '../bench.ts';
import { cpuSecondsOf, memoryOf } from '../child.ts';
import { makeSessions } from '../files.ts';
import { startRunning, untilCalm } from '../running.ts';

export const idle: Row = {
  name: 'idle',
  title: 'a minute of `trainlogd run` with 1,000 open sessions of 10 files in which nothing happens',
  async run(bench) {
    const sessions = bench.quick ? 100 : 1000;
    const folder = bench.directory('open');
    makeSessions(folder, sessions, { files: 10, fileBytes: 1000 });
    const sink = await bench.sink('http');
    const running = startRunning(bench, sink, folder);
    await setTimeout(5000);
    await untilCalm(running.pid, 5000, 180_000);
    const seconds = bench.quick ? 10 : 60;
    const cpuBefore = cpuSecondsOf(running.pid);
    await setTimeout(seconds * 1000);
    const cpuSeconds = cpuSecondsOf(running.pid) - cpuBefore;
    const { nowMb, peakMb } = memoryOf(running.pid);
    await running.stop();
    const line = {
      'open sessions': sessions,
      'resident MB': rounded(nowMb, 0),
      'peak MB': rounded(peakMb, 0),
      '% of a core': rounded((100 * cpuSeconds) / seconds, 2),
    };
    return { lines: [line] };
  },
};
