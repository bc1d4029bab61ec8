import { createTask, type ScheduledTask } from 'node-cron';
import type { Clock } from '../ports/clock.ts';
import type { Schedule } from '../ports/schedule.ts';

/** The library would write to the console. */
const silent = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  debug: () => undefined,
};

/** The clock may be set meanwhile: nothing is waited for any longer without a look at it. */
const lookMs = 60_000;

/**
 * Calls back at the times of a cron expression, by the clock of the host as it is then. The library alone would wait for
 * a time that a clock set back has made far, and go through every time that one set forward, or a host that slept, has
 * skipped: of years these are millions. Times that were missed by more than `lookMs` are over.
 */
export function cronSchedule(expression: string, clock: Pick<Clock, 'nowMs' | 'sleep'>): Schedule {
  return {
    start: (onTime) => {
      const over = new AbortController();
      void keepTime(parsed(expression), clock, onTime, over.signal);
      return () => over.abort();
    },
  };
}

async function keepTime(
  task: ScheduledTask,
  clock: Pick<Clock, 'nowMs' | 'sleep'>,
  onTime: () => void,
  signal: AbortSignal,
): Promise<void> {
  let nextMs = nextOf(task);
  while (!signal.aborted) {
    await clock.sleep(Math.min(lookMs, Math.max(0, nextMs - clock.nowMs())), signal);
    const lateMs = clock.nowMs() - nextMs;
    const isDue = lateMs >= 0 && !signal.aborted;
    if (isDue && lateMs <= lookMs) onTime();
    nextMs = isDue ? nextOf(task) : Math.min(nextMs, nextOf(task));
  }
}

/** The next time of an expression; undefined for one that has none any more. */
export function nextTimeMs(expression: string): number | undefined {
  const ms = nextOf(parsed(expression));
  return Number.isFinite(ms) ? ms : undefined;
}

function nextOf(task: ScheduledTask): number {
  return task.getNextRuns(1)[0]?.getTime() ?? Number.POSITIVE_INFINITY;
}

function parsed(expression: string): ScheduledTask {
  return createTask(expression, () => undefined, { logger: silent });
}
