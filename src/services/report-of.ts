import { worstLevel } from '../domain/finding.ts';
import type { Report } from '../ports/report.ts';
import { assess } from './assess.ts';
import { backlogOf } from './report-backlog.ts';
import type { ReportFacts, ReportLimits } from './report-facts.ts';

/** The report of these facts. */
export function reportOf(facts: ReportFacts, limits: ReportLimits): Report {
  const { status, nowMs, disks, lastSuccessAtMs, nextReportAtMs } = facts;
  const { backlog, parts, clockBehindMs } = status;
  const findings = assess(facts, limits);
  return {
    version: 1,
    at: time(nowMs),
    host: status.host,
    folder: status.folder,
    destination: status.destination,
    level: worstLevel(findings),
    findings,
    sessions: {
      open: backlog.open,
      shipping: backlog.shipping,
      shipped: backlog.shipped,
      skipped: backlog.skipped,
      parkedFiles: backlog.parkedFiles,
    },
    backlog: backlogOf(facts),
    unfinishedUploads: {
      count: (parts?.open ?? 0) + (parts?.abandoned ?? 0),
      bytes: (parts?.openBytes ?? 0) + (parts?.abandonedBytes ?? 0),
    },
    disks,
    watch: watchOf(facts),
    ...(clockBehindMs !== undefined && { clockBehindMs }),
    ...credentialsOf(facts),
    ...(lastSuccessAtMs !== undefined && { lastSuccessAt: time(lastSuccessAtMs) }),
    ...(nextReportAtMs !== undefined && { nextAt: time(nextReportAtMs) }),
  };
}

function watchOf({ status, watch }: ReportFacts): Report['watch'] {
  return {
    state: status.folderState ?? 'not watched',
    by: watch.by,
    looks: watch.looks,
    ...(watch.lastLookAtMs !== undefined && { lastLookAt: time(watch.lastLookAtMs) }),
    missedByEvents: watch.missedByEvents,
  };
}

function credentialsOf({ status: { credentials }, access }: ReportFacts): Pick<Report, 'credentials'> {
  if (credentials === undefined) return {};
  const { source, expiresAt } = credentials;
  const problem = access?.problem ?? credentials.problem;
  return {
    credentials: {
      source,
      ...(access?.identity !== undefined && { identity: access.identity }),
      ...(access?.valid !== undefined && { valid: access.valid }),
      ...(problem !== undefined && { problem }),
      ...(expiresAt !== undefined && { expiresAt }),
    },
  };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
