import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Bench, type Line, percentile, type Row, rounded } from '../bench.ts';
import { makeSession, written } from '../files.ts';
import { startRunning, until, untilCalm } from '../running.ts';

/** From the rename of the end marker to a log in the bucket that says how the session ended. */
export const latency: Row = {
  name: 'latency',
  title: 'end marker renamed into place → final log in the bucket, companions already settled, idle machine',
  async run(bench) {
    return {
      lines: [await measureEnds(bench, '_SUCCESS', ''), await measureEnds(bench, 'result.json', result)],
    };
  },
};

const result = `${JSON.stringify({ status: 'completed', metrics: { loss: 0.1 } })}\n`;

async function measureEnds(bench: Bench, marker: string, content: string): Promise<Line> {
  const folder = bench.directory('ending');
  const names = Array.from({ length: bench.quick ? 10 : 100 }, () => randomUUID());
  for (const name of names) makeSession(join(folder, name), { files: 3, fileBytes: 10_000 });
  const sink = await bench.sink('http');
  await sink.reset();
  const running = startRunning(bench, sink, folder);
  await setTimeout(5000);
  await untilCalm(running.pid, 2000, 120_000);
  const waits: number[] = [];
  for (const name of names) {
    const temporary = join(folder, name, `${marker}.tmp`);
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(temporary, content);
    const startedMs = performance.now();
    renameSync(temporary, join(folder, name, marker));
    const key = `training-logs/${monthOf(written)}/${name}.log`;
    await until(running, key, async () => isFinal(await sink.object(key)), 60_000);
    waits.push(performance.now() - startedMs);
    await setTimeout(200);
  }
  await running.stop();
  return {
    marker,
    sessions: waits.length,
    'p50 ms': rounded(percentile(waits, 0.5), 0),
    'p99 ms': rounded(percentile(waits, 0.99), 0),
    'worst ms': rounded(Math.max(...waits), 0),
  };
}

function isFinal(text: string | undefined): true | undefined {
  if (text === undefined) return undefined;
  const log = JSON.parse(text) as { session: { status: string }; missing: unknown[]; companions: unknown[] };
  return log.session.status === 'completed' && log.missing.length === 0 && log.companions.length >= 3
    ? true
    : undefined;
}

function monthOf(date: Date): string {
  return date.toISOString().slice(0, 7).replace('-', '/');
}
