import { cronSchedule, nextTimeMs } from './adapters/cron-schedule.ts';
import { lastSuccessIn, writeReportFile } from './adapters/report-file.ts';
import type { Operated } from './compose-operated.ts';
import { reportLimits } from './compose-report-limits.ts';
import { ReportLooks } from './compose-report-looks.ts';
import type { Report } from './ports/report.ts';
import type { Service } from './ports/service.ts';
import type { Status } from './ports/status.ts';
import { BacklogPace } from './services/backlog-pace.ts';
import { spreadOf } from './services/host-spread.ts';
import type { ReportFacts, WatchFacts } from './services/report-facts.ts';
import { reportOf } from './services/report-of.ts';
import { Reporter } from './services/reporter.ts';
import { isUnreachable } from './services/unreachable.ts';

export interface Reporting {
  readonly services: readonly Service[];
  readonly lastReport: () => Report | undefined;
  readonly problem: () => string | undefined;
  /** Made now. Rejects when none can be. */
  readonly report: () => Promise<Report>;
}

const shiftMaxMs = 30_000;

/** What reports on schedule where the agent stays, and else when someone asks. */
export function composeReporting(of: Operated, status: () => Status): Reporting {
  const { config, events, clock, host, rate } = of;
  const { schedule } = config.report;
  const limits = reportLimits(config);
  const looks = new ReportLooks(of);
  const pace = new BacklogPace(clock.monotonicMs());
  const watching = watchFacts(of);
  const make = async (signal: AbortSignal): Promise<Report> => {
    const looked = await looks.look(signal);
    const lastSuccessAtMs = of.counts.lastSuccessAtMs ?? (await lastSuccessIn(config.state.directory));
    const now = status();
    const { backlog } = now;
    const facts: ReportFacts = {
      ...looked,
      nowMs: clock.nowMs(),
      status: now,
      pace: pace.look({
        nowMs: clock.monotonicMs(),
        sentBytes: rate.sentBytes,
        movedBytes: rate.movedBytes,
        lastSuccessAtMs: of.counts.lastSuccessAtMs,
        waits: backlog.pendingFiles > 0 || backlog.shipping > 0,
      }),
      watch: watching(),
      lastSuccessAtMs,
      isNewlyUnreachable: reporter.last?.findings.some(isUnreachable) !== true,
      nextReportAtMs: of.stays ? nextTimeMs(schedule) : undefined,
    };
    return reportOf(facts, limits);
  };
  const reporter = new Reporter({
    clock,
    events,
    schedule: of.stays ? cronSchedule(schedule, clock) : undefined,
    shiftMs: spreadOf(host) * shiftMaxMs,
    make,
    keep: (report) => writeReportFile(config.state.directory, report),
  });
  return {
    services: [reporter],
    lastReport: () => reporter.last,
    problem: () => reporter.problem,
    report: () => reporter.report(),
  };
}

function watchFacts({ config, watcher, watching }: Operated): () => WatchFacts {
  let before = 0;
  return () => {
    const { missedByEvents, lastLookAtMs, surveysDone: looks, folderState } = watcher;
    const missedLately = missedByEvents - before;
    before = missedByEvents;
    const isNetwork = folderState?.state === 'present' && folderState.network;
    const { polling } = config.watch;
    const byLooks = watching.degraded !== undefined || (polling === 'auto' && isNetwork);
    return {
      by: byLooks ? 'looks' : polling === true ? 'polling' : 'events',
      ...(watching.degraded && { degraded: watching.degraded }),
      looks,
      ...(lastLookAtMs !== undefined && { lastLookAtMs }),
      missedByEvents,
      missedLately,
    };
  };
}
