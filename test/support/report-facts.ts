import type { Status } from '../../src/ports/status.ts';
import type { ReportFacts } from '../../src/services/report-facts.ts';

export const minuteMs = 60_000;
/** Of facts: all of them are looked at now. */
export const nowMs = Date.UTC(2026, 0, 31, 12);
export const limits = {
  backlogAgeWarnMs: 15 * minuteMs,
  credentialExpiryWarnMs: 24 * 60 * minuteMs,
  triesWarn: 14,
};

export function statusWith(more: Partial<Status> = {}): Status {
  return {
    version: 1,
    running: true,
    pid: 4711,
    host: 'node-1',
    program: '0.1.0',
    folder: '/data/runs',
    destination: 's3://logs',
    state: '/var/lib/trainlogd',
    folderState: 'present',
    backlog: backlogWith(),
    uploads: [],
    loose: [],
    ...more,
  };
}

export function backlogWith(more: Partial<Status['backlog']> = {}): Status['backlog'] {
  return {
    open: 0,
    shipping: 0,
    shipped: 1,
    skipped: 0,
    pendingFiles: 0,
    pendingBytes: 0,
    oldestPendingFoundAtMs: undefined,
    parkedFiles: more.parked?.length ?? 0,
    unsent: [],
    parked: [],
    ...more,
  };
}

/** An agent that is well, and what is otherwise. */
export function factsWith(more: Partial<ReportFacts> = {}): ReportFacts {
  return {
    nowMs,
    status: statusWith(),
    pace: {},
    disks: [],
    watch: { by: 'events', looks: 1, missedByEvents: 0, missedLately: 0 },
    looked: [],
    lastSuccessAtMs: undefined,
    ...more,
  };
}
