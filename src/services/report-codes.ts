import type { Finding } from '../domain/finding.ts';

/** Codes of what a report judges by itself; what it finds by looking has those of the doctor. docs/reference.md says what each means. */
export const reportCodes = [
  'agent.absent',
  'agent.blocked',
  'agent.trouble',
  'agent.parked',
  'backlog.stuck',
  'backlog.failing',
  'credentials.expiring',
  'credentials.expired',
  'credentials.renewal',
  'credentials.endBeforeBacklog',
  'folder.missing',
  'folder.unreadable',
  'watch.degraded',
  'watch.missed',
  'uploads.abandoned',
  'report.old',
  'report.failed',
] as const;

export interface ReportFinding extends Finding {
  readonly code: (typeof reportCodes)[number];
}
