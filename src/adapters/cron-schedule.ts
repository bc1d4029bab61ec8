import { createTask } from 'node-cron';
import type { Schedule } from '../ports/schedule.ts';

/** The library would write to the console of a time that was missed, while the host slept for one. */
const silent = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  debug: () => undefined,
};

export function cronSchedule(expression: string): Schedule {
  return {
    start: (onTime) => {
      const task = createTask(expression, () => onTime(), { logger: silent, suppressMissedWarning: true });
      void task.start();
      return () => void task.destroy();
    },
  };
}

const lookedAhead = 50;

/** The longest between two of its next times: a schedule for working days pauses at the weekend. */
export function longestPauseMs(expression: string): number {
  const times = createTask(expression, () => undefined, { logger: silent }).getNextRuns(lookedAhead);
  const pauses = times.slice(1).map((time, at) => time.getTime() - (times[at]?.getTime() ?? 0));
  return Math.max(0, ...pauses);
}
