import type { Finding } from '../domain/finding.ts';
import type { Status } from '../ports/status.ts';
import { counted, humanSpan } from './human.ts';

/** Something that a person is to do or to know. */
export interface Concern {
  readonly level: 'critical' | 'warning';
  readonly title: string;
  /** What it is about, each in a line. */
  readonly names?: readonly string[];
  readonly evidence?: string;
  readonly remedy?: string;
}

type Parked = Status['backlog']['parked'][number];

/** Of files that are parked for one reason, so many are named. `--json` names more. */
const namedMax = 3;

/** Critical first, and of these what stops everything. */
export function concernsOf(status: Status): readonly Concern[] {
  const found = [
    ...absent(status),
    ...stopped(`${status.trouble?.of ?? 'the state directory'} cannot be used`, status.trouble),
    ...stopped('nothing can be sent', status.blocked),
    ...unrenewed(status),
    ...parkedConcerns(status.backlog.parked),
    ...(status.report?.findings ?? []).filter(isOfReport).map(reported),
  ];
  const isCritical = ({ level }: Concern) => level === 'critical';
  return [...found.filter(isCritical), ...found.filter((one) => !isCritical(one))];
}

function absent({ running, backlog }: Status): Concern[] {
  const waiting = backlog.pendingFiles + backlog.shipping;
  if (running || waiting === 0) return [];
  return [
    {
      level: 'critical',
      title: 'something waits to be sent, and no trainlogd runs that would',
      remedy: 'start it: systemctl start trainlogd, or trainlogd run; or once: trainlogd drain',
    },
  ];
}

function stopped(what: string, why: Status['blocked']): Concern[] {
  if (!why) return [];
  const title = `${what}, for ${humanSpan(why.sinceMs)}: ${why.code}`;
  return [{ level: 'critical', title, evidence: why.cause, remedy: why.remedy }];
}

function unrenewed({ credentials }: Status): Concern[] {
  if (credentials?.problem === undefined) return [];
  return [
    { level: 'critical', title: 'the credentials could not be renewed', evidence: credentials.problem },
  ];
}

/** A hundred files of one kind are one thing to do. */
function parkedConcerns(parked: readonly Parked[]): Concern[] {
  const groups = Map.groupBy(parked, ({ code, remedy }) => `${code}\0${remedy}`);
  return [...groups.values()].map(parkedConcern);
}

function parkedConcern(items: readonly Parked[]): Concern {
  const [first] = items;
  if (!first) throw new Error('nothing is parked for this reason');
  const isOne = items.length === 1;
  const sessions = new Set(items.map(({ session }) => session));
  const retry = `trainlogd retry ${sessions.size === 1 ? first.session : '--all'}`;
  const more = items.length - namedMax;
  const names = items.slice(0, namedMax).map(nameOf);
  return {
    level: 'critical',
    title: isOne
      ? `not shipped: ${nameOf(first)}: ${first.code}`
      : `not shipped: ${counted(items.length, 'file')}: ${first.code}`,
    ...(!isOne && { names: more > 0 ? [...names, `and ${more} more`] : names }),
    evidence: first.cause,
    remedy: first.remedy === '' ? retry : `${first.remedy}; then: ${retry}`,
  };
}

function nameOf({ session, path }: Parked): string {
  return `${session}: ${path}`;
}

/** What the agent says of itself is told as it is now. */
function isOfReport({ code, level }: Finding): boolean {
  return level !== 'ok' && !code.startsWith('agent.') && code !== 'credentials.renewal';
}

function reported({ level, finding, evidence, remedy }: Finding): Concern {
  return {
    level: level === 'critical' ? 'critical' : 'warning',
    title: finding,
    ...(evidence !== undefined && { evidence }),
    ...(remedy !== undefined && { remedy }),
  };
}
