import { type Level, worstLevel } from '../domain/finding.ts';
import { type Room, rooms } from './codes.ts';
import { type Diagnosis, found, type NotLooked } from './finding.ts';
import type { Hide } from './secrets.ts';
import type { Check, Visit } from './visit.ts';
import { within } from './within.ts';

/** What was found in one room of the house. */
export interface Examined {
  readonly room: Room;
  readonly findings: readonly Diagnosis[];
  /** Why nothing was looked at. */
  readonly skipped?: string;
  /** There was nothing to look at. */
  readonly needless?: true;
}

export interface Examination {
  readonly version: 1;
  readonly host: string;
  readonly level: Level;
  readonly rooms: readonly Examined[];
}

/** All checks side by side. One that fails or takes too long is a finding of its own and hides no other. */
export async function examine(
  visit: Visit,
  checks: Readonly<Record<Room, Check>>,
  hiding: () => Promise<Hide>,
): Promise<Examination> {
  const examined = await Promise.all(rooms.map((room) => enter(room, checks[room], visit)));
  const hide = await hiding();
  const shown = examined.map((one) => hideIn(one, hide));
  return {
    version: 1,
    host: visit.machine.hostName,
    level: worstLevel(shown.flatMap(({ findings }) => findings)),
    rooms: shown,
  };
}

async function enter(room: Room, check: Check, visit: Visit): Promise<Examined> {
  const { clock, limits } = visit;
  try {
    const result = await within(clock, limits.allMs, undefined, (signal) => check(visit, signal));
    if (result !== undefined) return asExamined(room, result);
    const said = `the ${room} check was not done within ${limits.allMs / 1000} s`;
    const remedy = 'look at what it looks at by hand: a disk, a mount or a service there does not answer';
    return { room, findings: [found('warning', 'check.late', said, { remedy })] };
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const remedy = 'report it as a bug, with this text; the other checks are not touched by it';
    const finding = `the ${room} check failed`;
    return { room, findings: [found('warning', 'check.failed', finding, { evidence: said, remedy })] };
  }
}

function asExamined(room: Room, result: readonly Diagnosis[] | NotLooked): Examined {
  if (!('because' in result)) return { room, findings: result };
  const { because, needless } = result;
  return { room, findings: [], skipped: because, ...(needless && { needless }) };
}

/** Whatever a check repeats, of a server's answer or a path: no secret leaves. */
function hideIn({ findings, skipped, ...examined }: Examined, hide: Hide): Examined {
  return {
    ...examined,
    findings: findings.map(({ finding, evidence, remedy, ...rest }) => ({
      ...rest,
      finding: hide(finding),
      ...(evidence !== undefined && { evidence: hide(evidence) }),
      ...(remedy !== undefined && { remedy: hide(remedy) }),
    })),
    ...(skipped !== undefined && { skipped: hide(skipped) }),
  };
}
