import { spanSaid } from '../domain/amounts.ts';
import type { Finding } from '../domain/finding.ts';
import type { Report } from '../ports/report.ts';
import type { Status } from '../ports/status.ts';
import { assess, worstFirst } from './assess.ts';
import type { ReportFinding } from './report-codes.ts';
import type { ReportLimits } from './report-facts.ts';

/** What the status itself tells, now; the last report's word of these is old. */
const knownNow = /^(agent\.|folder\.|uploads\.|backlog\.failing|credentials\.(renewal|expiring))/;
/** A report takes its time, and comes later by the host's share of half a minute. */
const lateMs = 2 * 60_000;

/** What is wrong at this moment: what the agent says now, and beyond that what its last report found by looking. */
export function presentFindings(status: Status, nowMs: number, limits: ReportLimits): readonly Finding[] {
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
  if (status.reportProblem !== undefined) return worstFirst([...now, failedReport(status.reportProblem)]);
  return report !== undefined && isOld(report, nowMs)
    ? worstFirst([...now, oldReport(nowMs - Date.parse(report.at))])
    : now;
}

/** One time may be missed. It is its own schedule that counts: a pause at night or over the weekend is no reason. */
function isOld({ at, nextAt }: Report, nowMs: number): boolean {
  if (nextAt === undefined) return false;
  const madeMs = Date.parse(at);
  const pauseMs = Date.parse(nextAt) - madeMs;
  return nowMs - madeMs > 2 * pauseMs + lateMs;
}

/** Without one nothing is known of what only it looks at. */
function failedReport(problem: string): ReportFinding {
  return {
    code: 'report.failed',
    level: 'warning',
    finding: 'the last report failed',
    evidence: problem,
    remedy: `mend what keeps it from being made (${problem}); trainlogd report makes one now`,
  };
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
