import { spanSaid } from '../domain/amounts.ts';
import { renewThemselves } from '../domain/credential-renewal.ts';
import type { CredentialsState } from '../ports/status.ts';
import { drainMsOf } from './report-backlog.ts';
import type { ReportFinding } from './report-codes.ts';
import type { ReportFacts, ReportLimits } from './report-facts.ts';

/** Of credentials that will end: in time to be told, and only where nobody renews them by himself. */
export function credentialFindings(facts: ReportFacts, limits: ReportLimits): ReportFinding[] {
  const { credentials, clockBehindMs = 0 } = facts.status;
  if (credentials === undefined) return [];
  // They end by the server's clock.
  const serverNowMs = facts.nowMs + clockBehindMs;
  const expiresAtMs = Date.parse(credentials.expiresAt ?? '');
  const leftMs = Number.isNaN(expiresAtMs) ? Number.POSITIVE_INFINITY : expiresAtMs - serverNowMs;
  const { source, problem } = credentials;
  const isRenewed = renewThemselves(source) && problem === undefined;
  const told = facts.access?.valid === false;
  return [
    ...(problem === undefined || told ? [] : [notRenewed(credentials, leftMs)]),
    ...(isRenewed || problem !== undefined || told
      ? []
      : expiryFindings(source, leftMs, limits.credentialExpiryWarnMs)),
    ...(isRenewed || leftMs <= 0 ? [] : endsBeforeBacklog(facts, leftMs)),
  ];
}

export interface ExpiryFinding extends ReportFinding {
  readonly code: 'credentials.expiring' | 'credentials.expired';
}

const giveNew = 'give new ones before, or let trainlogd use a role, which renews itself';

/** Of those that cannot renew themselves. */
export function expiryFindings(source: string, leftMs: number, warnMs: number): ExpiryFinding[] {
  if (leftMs > warnMs) return [];
  const evidence = `from ${source}`;
  if (leftMs > 0) {
    const finding = `the credentials end in ${spanSaid(leftMs)}`;
    return [{ code: 'credentials.expiring', level: 'warning', finding, evidence, remedy: giveNew }];
  }
  const finding = `the credentials have expired ${spanSaid(-leftMs)} ago`;
  const remedy = 'give new temporary credentials, AWS_SESSION_TOKEN included';
  return [{ code: 'credentials.expired', level: 'critical', finding, evidence, remedy }];
}

function notRenewed({ source, problem = '' }: CredentialsState, leftMs: number): ReportFinding {
  const still =
    leftMs <= 0
      ? 'and those that were held have expired'
      : leftMs === Number.POSITIVE_INFINITY
        ? 'and those that are held go on'
        : `and those that are held end in ${spanSaid(leftMs)}`;
  return {
    code: 'credentials.renewal',
    level: leftMs <= 0 ? 'critical' : 'warning',
    finding: `the credentials of ${source} could not be renewed, ${still}`,
    evidence: problem,
    remedy: 'mend the place that they come from, as the cause says; trainlogd asks it again by itself',
  };
}

/** "The token ends in 40 min, and the backlog needs 55": what is not there by then waits for new ones. */
function endsBeforeBacklog(facts: ReportFacts, leftMs: number): ReportFinding[] {
  const drainMs = drainMsOf(facts);
  if (drainMs === undefined || drainMs <= leftMs) return [];
  return [
    {
      code: 'credentials.endBeforeBacklog',
      level: 'warning',
      finding: `the credentials end in ${spanSaid(leftMs)}, and the backlog needs ${spanSaid(drainMs)}`,
      evidence: `until ${facts.status.credentials?.expiresAt}; at the rate since the last report`,
      remedy: `${giveNew}; what is unsent by then waits for them`,
    },
  ];
}
