import { bytesSaid, countSaid, spanSaid } from '../domain/amounts.ts';
import type { Finding, Level } from '../domain/finding.ts';
import { absentFindings, failingFindings, keptFindings, parkedFindings } from './assess-agent.ts';
import { credentialFindings } from './assess-credentials.ts';
import { folderFindings, watchFindings } from './assess-watch.ts';
import type { ReportFinding } from './report-codes.ts';
import type { ReportFacts, ReportLimits } from './report-facts.ts';
import { unlessBrief } from './unreachable.ts';

/** Critical at so many times the age at which a warning is due. */
const criticalTimes = 4;
/** Paid for, and of use to nobody. */
const abandonedWarnBytes = 1024 ** 3;

/** What of these facts a person should know, worst first; nothing when all is well. */
export function assess(facts: ReportFacts, limits: ReportLimits): readonly Finding[] {
  const found = [
    ...absentFindings(facts.status),
    ...causes(facts),
    ...unsent(facts, limits),
    ...credentialFindings(facts, limits),
    ...parkedFindings(facts.status.backlog.parked),
    ...folderFindings(facts.status),
    ...watchFindings(facts.watch),
    ...abandoned(facts),
  ];
  return worstFirst(unlessBrief(found, facts).filter(({ level }) => level !== 'ok'));
}

const order: readonly Level[] = ['critical', 'warning', 'ok'];

export function worstFirst(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((one, other) => order.indexOf(one.level) - order.indexOf(other.level));
}

/** What keeps it from shipping. The look at the destination and the agent may have met the same: it is told once. */
function causes({ status, looked, access }: ReportFacts): Finding[] {
  const kept = keptFindings(status);
  const blocked = status.blocked;
  const worst = looked.filter(({ level }) => level === 'critical');
  const isSame = worst.length > 0 && (blocked?.code === access?.code || worst.some(keepsAllFromIt));
  if (blocked === undefined || !isSame) return [...looked, ...kept];
  const since = `the agent sends nothing for ${spanSaid(blocked.sinceMs)}`;
  const [first, ...others] = worstFirst(looked);
  const told = first && { ...first, evidence: [since, first.evidence].filter(Boolean).join('; ') };
  return [...(told ? [told] : []), ...others, ...kept.filter(({ code }) => code !== 'agent.blocked')];
}

/** Whatever the agent met, it met it there; how that is called differs. */
function keepsAllFromIt({ code }: Finding): boolean {
  return code === 'destination.directory' || code.startsWith('network.');
}

/** Where nothing moves, no file alone is the reason. */
function unsent(facts: ReportFacts, limits: ReportLimits): ReportFinding[] {
  const found = stuck(facts, limits);
  return found.length > 0 ? found : failingFindings(facts.status, limits);
}

function stuck({ status, pace, lastSuccessAtMs, nowMs }: ReportFacts, limits: ReportLimits): ReportFinding[] {
  const { stuckMs = 0 } = pace;
  const { backlogAgeWarnMs: warnMs } = limits;
  if (stuckMs < warnMs) return [];
  const { pendingFiles, pendingBytes, shipping, unsent } = status.backlog;
  const files = `${countSaid(pendingFiles, 'file')} (${bytesSaid(pendingBytes)})`;
  const what = pendingFiles > 0 ? files : countSaid(shipping, 'session log');
  const last =
    lastSuccessAtMs === undefined
      ? 'nothing has arrived yet'
      : `something last arrived ${spanSaid(nowMs - lastSuccessAtMs)} ago`;
  const reason = unsent.find((one) => one.reason !== 'waiting')?.reason;
  const isKept = (status.blocked ?? status.trouble) !== undefined;
  return [
    {
      code: 'backlog.stuck',
      level: stuckMs >= criticalTimes * warnMs ? 'critical' : 'warning',
      finding: `nothing has moved for ${spanSaid(stuckMs)}, and to be sent there is ${what}`,
      evidence: reason === undefined ? last : `${last}; the last try: ${reason}`,
      remedy: isKept
        ? 'do what is said of the destination or the state directory: this is a consequence'
        : 'see what each file waits for: trainlogd status; what keeps it from the bucket: trainlogd doctor',
    },
  ];
}

function abandoned({ status: { parts } }: ReportFacts): ReportFinding[] {
  if (parts === undefined || parts.abandonedBytes < abandonedWarnBytes) return [];
  const held = `${countSaid(parts.abandoned, 'upload')} that were given up hold ${bytesSaid(parts.abandonedBytes)}`;
  return [
    {
      code: 'uploads.abandoned',
      level: 'warning',
      finding: `${held} in the bucket, and they are paid for`,
      evidence: 'their parts were not freed: s3:AbortMultipartUpload is denied, or the server did not answer',
      remedy:
        'have the lifecycle abort incomplete uploads after 7 days: trainlogd bucket plan shows the rule',
    },
  ];
}
