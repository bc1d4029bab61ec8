import { countSaid } from '../domain/amounts.ts';
import type { Level } from '../domain/finding.ts';
import type { Backlog } from '../ports/backlog.ts';
import type { Status } from '../ports/status.ts';
import type { ReportFinding } from './report-codes.ts';
import type { ReportLimits } from './report-facts.ts';
import { blipMs } from './unreachable.ts';

/** Those that the doctor has too. */
export interface AgentFinding extends ReportFinding {
  readonly code: 'agent.blocked' | 'agent.trouble' | 'agent.parked';
}

/** What the agent says keeps it from its work. */
export function keptFindings({ blocked, trouble }: Pick<Status, 'blocked' | 'trouble'>): AgentFinding[] {
  const since = ({ sinceMs }: { sinceMs: number }) => `for ${Math.round(sinceMs / 1000)} s`;
  return [
    ...(blocked === undefined
      ? []
      : [
          of(
            blocked.sinceMs < blipMs ? 'warning' : 'critical',
            'agent.blocked',
            `the agent sends nothing ${since(blocked)}, ${blocked.code}`,
            {
              evidence: blocked.cause,
              remedy: blocked.remedy,
            },
          ),
        ]),
    ...(trouble === undefined
      ? []
      : [
          of(
            'critical',
            'agent.trouble',
            `the agent waits for ${trouble.of ?? 'its state directory'} ${since(trouble)}`,
            {
              evidence: trouble.cause,
              remedy: trouble.remedy,
            },
          ),
        ]),
  ];
}

const namedMax = 3;

/** One for each cause: a hundred files of one kind are one thing to do. */
export function parkedFindings(parked: Backlog['parked']): AgentFinding[] {
  const byCode = Map.groupBy(parked, ({ code }) => code);
  return [...byCode].slice(0, namedMax).map(([code, items]) => {
    const first = items[0];
    return of('warning', 'agent.parked', `${countSaid(items.length, 'file')} parked, ${code}`, {
      evidence: `${first?.session}: ${first?.path}: ${first?.cause}`,
      remedy: `${first?.remedy}; then: trainlogd retry`,
    });
  });
}

/**
 * What others overtake: as long as anything moves nothing is stuck, and a file that a server refuses with a code that
 * nobody knows is tried for ever.
 */
export function failingFindings({ backlog, blocked }: Status, { triesWarn }: ReportLimits): ReportFinding[] {
  const failing = blocked === undefined ? backlog.unsent.filter(({ attempts }) => attempts >= triesWarn) : [];
  const [worst] = failing.toSorted((one, other) => other.attempts - one.attempts);
  if (worst === undefined) return [];
  return [
    {
      code: 'backlog.failing',
      level: 'warning',
      finding: `${countSaid(failing.length, 'file')} cannot be sent, and will be tried again and again`,
      evidence: `${worst.session}: ${worst.path}: tried ${worst.attempts} times in a row: ${worst.reason}`,
      remedy:
        'mend what the cause says; trainlogd status names each file, trainlogd doctor what is wrong there',
    },
  ];
}

/** Nobody ships, and nobody else would say so. */
export function absentFindings({ running, state, backlog }: Status): ReportFinding[] {
  if (running) return [];
  const waiting = backlog.pendingFiles + backlog.shipping;
  const meanwhile = waiting === 0 ? '' : '; meanwhile something waits to be sent';
  return [
    {
      code: 'agent.absent',
      level: 'critical',
      finding: `no trainlogd runs for ${JSON.stringify(state)}${meanwhile}`,
      evidence: 'nobody answers on its socket',
      remedy: 'start it: systemctl start trainlogd, or trainlogd run; what is unsent goes on then',
    },
  ];
}

function of(
  level: Level,
  code: AgentFinding['code'],
  finding: string,
  more: { readonly evidence: string; readonly remedy: string },
): AgentFinding {
  return { code, level, finding, ...more };
}
