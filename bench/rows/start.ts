import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Bench, type Line, median, type Row, rounded } from '../bench.ts';
import { memoryOf } from '../child.ts';
import { makeSession, makeSessions } from '../files.ts';
import { writeFullJournal } from '../full-journal.ts';
import { startRunning, until } from '../running.ts';
import type { Sink } from '../sink-process.ts';

/** Three files, a marker, a log, and what the program writes to learn what the server checks. */
const ofOneSession = 6;

/** The new session is the last of its folder in every order. */
export const startUp: Row = {
  name: 'start',
  title: 'start with 100,000 shipped sessions of 3 files still in the folder, one new session among them',
  async run(bench) {
    const sessions = bench.quick ? 2000 : 100_000;
    const folder = bench.directory('shipped');
    const state = bench.directory('state');
    bench.say(`  making ${sessions} sessions and their journal`);
    makeSessions(folder, sessions, { files: 3, fileBytes: 100, ended: true });
    await writeFullJournal(state, folder);
    const sink = await bench.sink('http');
    const runs: { firstMs: number; peakMb: number }[] = [];
    for (let round = 0; round <= bench.rounds; round++) {
      const run = await startOnce(bench, sink, folder, state, round);
      bench.say(`  round ${round}: first upload after ${run.firstMs.toFixed(0)} ms`);
      // The first one also warms the cache.
      if (round > 0) runs.push(run);
    }
    const line: Line = {
      'shipped sessions': sessions,
      'first upload s': rounded(median(runs.map(({ firstMs }) => firstMs)) / 1000, 2),
      'peak MB': rounded(Math.max(...runs.map(({ peakMb }) => peakMb)), 0),
    };
    return { lines: [line] };
  },
};

async function startOnce(bench: Bench, sink: Sink, folder: string, state: string, round: number) {
  makeSession(join(folder, `zz-new-${round}`), { files: 3, fileBytes: 100, ended: true });
  await sink.reset();
  const running = startRunning(bench, sink, folder, { TRAINLOGD_STATE_DIRECTORY: state });
  // The first object may be the one by which the program learns what the server checks.
  const asked = async () => ((await sink.report()).objects > 1 ? performance.now() : undefined);
  const firstMs = (await until(running, 'the first upload', asked, 300_000)) - running.startedMs;
  // The whole folder is looked at behind it: that counts for memory, and must not be stopped half way.
  await until(
    running,
    'the new session',
    async () => ((await sink.report()).objects >= ofOneSession ? true : undefined),
    300_000,
  );
  await setTimeout(5000);
  const { peakMb } = memoryOf(running.pid);
  await running.stop();
  const { objects } = await sink.report();
  if (objects > ofOneSession)
    throw new Error(`${objects} objects were sent, more than those of the one new session`);
  return { firstMs, peakMb };
}
