import { spanSaid } from '../domain/amounts.ts';
import type { Finding } from '../domain/finding.ts';
import type { Status } from '../ports/status.ts';
import { assess, worstFirst } from './assess.ts';
import type { ReportFinding } from './report-codes.ts';
import type { ReportLimits } from './report-facts.ts';

/** What the status itself tells, now; the last report's word of these is old. */
const knownNow = /^(agent\.|folder\.|uploads\.|credentials\.(renewal|expiring))/;
/** A report takes its time, and comes later by the host's share of half a minute. */
const lateMs = 2 * 60_000;

/**
 * What is wrong at this moment: what the agent says now, and beyond that what its last report found by looking.
 * `pauseMs` is the longest between two reports of the schedule.
 */
export function presentFindings(
  status: Status,
  { nowMs, pauseMs }: { readonly nowMs: number; readonly pauseMs: number },
  limits: ReportLimits,
): readonly Finding[] {
  const { report } = status;
  const known = (report?.findings ?? []).filter(({ code }) => !knownNow.test(code));
  const now = assess(
    {
      nowMs,
      status,
      pace: {},
      disks: [],
      watch: { by: 'none', looks: 0, missedByEvents: 0, missedLately: 0 },
      // What the destination said of credentials that have ended is not said again.
      ...(report?.credentials?.valid === false && { access: { valid: false } }),
      looked: known,
      lastSuccessAtMs: undefined,
    },
    limits,
  );
  const ageMs = report === undefined ? 0 : nowMs - Date.parse(report.at);
  return ageMs > 2 * pauseMs + lateMs ? worstFirst([...now, oldReport(ageMs)]) : now;
}

function oldReport(ageMs: number): ReportFinding {
  return {
    code: 'report.old',
    level: 'warning',
    finding: `the last report is ${spanSaid(ageMs)} old`,
    evidence: 'the agent answers, and makes none',
    remedy: 'look for report.failed in its log; trainlogd report makes one now',
  };
}
