import { readdir, readFile } from 'node:fs/promises';
import type { Clock } from '../ports/clock.ts';
import type { EventCounts } from '../ports/event-counts.ts';
import type { MeasuredProcess, ProcessUse } from './metric-values.ts';

/** Of every Linux that runs Node. */
const ticksPerSecond = 100;

/** How late the event loop is, is told by a wait for nothing. */
export async function measureProcess(of: {
  readonly clock: Clock;
  readonly pid: number;
  readonly version: string;
  readonly counts: EventCounts;
}): Promise<MeasuredProcess> {
  const { clock, pid, version, counts } = of;
  const startedMs = clock.monotonicMs();
  await clock.sleep(0);
  const eventLoopLagSeconds = Math.max(0, clock.monotonicMs() - startedMs) / 1000;
  return { version, counts, process: await processUse(pid), eventLoopLagSeconds };
}

/** Of a process of ours, from proc(5); nothing where there is no /proc. */
async function processUse(pid: number): Promise<ProcessUse> {
  const [stat, status, fds] = await Promise.all([
    text(`/proc/${pid}/stat`),
    text(`/proc/${pid}/status`),
    readdir(`/proc/${pid}/fd`).catch(() => undefined),
  ]);
  // Behind the command's name, which may hold anything; utime and stime are the fields 14 and 15.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields?.[11]) + Number(fields?.[12]);
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status ?? '')?.[1];
  return {
    residentBytes: kilobytes === undefined ? undefined : Number(kilobytes) * 1024,
    cpuSeconds: Number.isFinite(ticks) ? ticks / ticksPerSecond : undefined,
    openFds: fds?.length,
  };
}

async function text(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'latin1');
  } catch {
    return undefined; // reason: a system without /proc
  }
}
