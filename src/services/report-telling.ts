import type { Clock } from '../ports/clock.ts';
import type { EventMap, Events } from '../ports/events.ts';
import type { Report } from '../ports/report.ts';

/** What stays wrong is told again after so long, and quietly in between. */
const remindAfterMs = 60 * 60_000;
const namedMax = 10;

/**
 * One event a report, at the level that it deserves. A verdict is news when its level or the set of its findings is
 * another than before; amounts and ages alone are none. What is well, and what was told already, is told at `debug`.
 */
export class ReportTelling {
  readonly #clock: Clock;
  readonly #events: Events;
  #told = '';
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor({ clock, events }: { clock: Clock; events: Events }) {
    this.#clock = clock;
    this.#events = events;
  }

  tell(report: Report): void {
    const marks = report.findings.map(({ level, code }) => `${level} ${code}`);
    const verdict = marks.toSorted().join('\n');
    this.#emit(this.#eventOf(report, verdict !== this.#told), report);
    this.#told = verdict;
  }

  #eventOf({ level }: Report, isNews: boolean): ReportEvent {
    if (level === 'ok') return isNews ? 'report.recovered' : 'report.ok';
    const nowMs = this.#clock.monotonicMs();
    if (!isNews && nowMs - this.#toldMs < remindAfterMs) return 'report.unchanged';
    this.#toldMs = nowMs;
    return `report.${level}`;
  }

  #emit(name: ReportEvent, { level, findings, backlog }: Report): void {
    const { files, bytes, stuckSeconds, drainSeconds } = backlog;
    this.#events.emit(name, {
      verdict: level,
      findings: findings.slice(0, namedMax),
      more: Math.max(0, findings.length - namedMax),
      backlogFiles: files,
      backlogBytes: bytes,
      ...(stuckSeconds !== undefined && { stuckSeconds }),
      ...(drainSeconds !== undefined && { drainSeconds }),
    });
  }
}

type ReportEvent = Exclude<Extract<keyof EventMap, `report.${string}`>, 'report.failed'>;
