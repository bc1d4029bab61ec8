import { type Diagnosis, found, type NotLooked } from './finding.ts';
import type { Visit } from './visit.ts';

/** How far the host's clock is from the server's, and whether anything sets it. */
export async function checkClock(visit: Visit): Promise<readonly Diagnosis[] | NotLooked> {
  const { destination } = visit;
  const look = destination?.kind === 's3' ? await visit.bucket() : undefined;
  const offsetMs = median(look?.answers.dates ?? []);
  const trouble = look?.troubles.clock;
  if (trouble !== undefined) return [withEvidence(trouble, offsetMs, await synchronised(visit))];
  if (offsetMs === undefined) return await alone(visit);
  if (Math.abs(offsetMs) <= okMsMax) return [found('ok', 'clock.ok', `at most 2 s from the server's`)];
  const isSmall = Math.abs(offsetMs) <= noticedMsMax;
  const said = `the clock of this host is ${offsetSaid(offsetMs)} the server's`;
  if (isSmall) return [found('ok', 'clock.ok', said)];
  const evidence = ["the Date of the server's answers", ...(await synchronised(visit))].join('; ');
  const remedy = `set it, best by NTP (timedatectl set-ntp true, chronyc makestep): requests are signed with the server's time meanwhile, but times in session logs are wrong, and S3 refuses others from 15 minutes on`;
  return [found('warning', 'clock.offset', said, { evidence, remedy })];
}

const okMsMax = 2_000;
/** From here on requests are corrected. */
const noticedMsMax = 30_000;

function median(values: readonly number[]): number | undefined {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)];
}

function offsetSaid(offsetMs: number): string {
  const seconds = Math.round(Math.abs(offsetMs) / 1000);
  const amount = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} minutes`;
  return `${amount} ${offsetMs > 0 ? 'behind' : 'ahead of'}`;
}

function withEvidence(trouble: Diagnosis, offsetMs: number | undefined, more: readonly string[]): Diagnosis {
  const measured = offsetMs === undefined ? [] : [`this host is ${offsetSaid(offsetMs)} it`];
  return { ...trouble, evidence: [trouble.evidence, ...measured, ...more].join('; ') };
}

/** No server told the time: what this host knows of itself. */
async function alone(visit: Visit): Promise<readonly Diagnosis[] | NotLooked> {
  const needless = visit.destination?.kind === 'directory';
  const [known] = await synchronised(visit);
  if (known === undefined) return { because: 'no server told the time', ...(needless && { needless }) };
  if (known === isSet) return [found('ok', 'clock.ok', `${known}; no server told the time`)];
  const remedy = 'let NTP set it: timedatectl set-ntp true';
  return [
    found('warning', 'clock.unknown', 'nothing sets the clock of this host', { evidence: known, remedy }),
  ];
}

const isSet = 'the system says that its clock is synchronised';

async function synchronised({ machine }: Visit): Promise<string[]> {
  const said = await machine.run('timedatectl', ['show', '--property=NTPSynchronized']);
  if (said?.includes('NTPSynchronized=yes')) return [isSet];
  return said?.includes('NTPSynchronized=no') ? ['timedatectl says NTPSynchronized=no'] : [];
}
