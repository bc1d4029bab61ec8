import type { Finding } from '../domain/finding.ts';
import type { AccessFacts } from '../services/report-facts.ts';
import { isDenied } from './asking.ts';
import { checkBucket } from './bucket.ts';
import { type BucketLook, lookAtBucket } from './bucket-look.ts';
import { checkClock } from './clock.ts';
import { checkCredentials } from './credentials.ts';
import { lookAtEndpoint } from './endpoint-look.ts';
import { type Diagnosis, found } from './finding.ts';
import { checkNetwork } from './network.ts';
import type { Patient } from './patient.ts';
import { checkPermissions } from './permissions.ts';
import { type Check, once, type Visit } from './visit.ts';
import { within } from './within.ts';

/** What one request to the destination tells; the findings are those that the doctor would have. */
export interface BriefLook {
  readonly findings: readonly Finding[];
  /** Absent for a directory. */
  readonly access?: AccessFacts;
}

/** What is assessed from what the agent knows, and would be told twice. */
const assessedElsewhere: ReadonlySet<string> = new Set(['credentials.expiring', 'credentials.expired']);

/**
 * Asks the destination for as little as can tell whether it serves us: one list of one key under the prefix. Only when
 * that fails, more is looked at to name the cause. Never throws for what it finds.
 */
export async function lookBriefly(patient: Omit<Patient, 'isBrief' | 'write'>): Promise<BriefLook> {
  const visit = briefVisit({ ...patient, write: false, isBrief: true });
  const { destination } = visit;
  if (destination?.kind !== 's3') return { findings: await wrongWithDirectory(visit) };
  const look = await visit.bucket();
  const isBroken = look?.troubles.network !== undefined;
  const checks = [
    ...[checkCredentials, checkBucket, checkPermissions, checkClock],
    ...(isBroken ? [checkNetwork] : []),
  ];
  const refused = look?.failure?.code ?? look?.tried.find(({ failure }) => failure)?.failure?.code;
  const expired = look?.troubles.credentials?.code;
  const findings = (await wrongBy(checks, visit)).filter(
    ({ code }) => code === expired || !assessedElsewhere.has(code),
  );
  return { findings, access: { ...validity(look), ...(refused !== undefined && { code: refused }) } };
}

function briefVisit(patient: Patient): Visit {
  const { destination, clock, limits } = patient;
  const s3 = destination?.kind === 's3' ? destination : undefined;
  const visit: Visit = {
    ...patient,
    endpoint: once(async () => s3 && (await lookAtEndpoint(s3, clock, limits).catch(() => undefined))),
    bucket: once(async () => s3 && (await lookAtBucket(visit, s3))),
    agent: async () => undefined,
  };
  return visit;
}

/** A mount whose server is gone answers nothing. */
async function wrongWithDirectory(visit: Visit): Promise<Finding[]> {
  const { destination, clock, limits } = visit;
  if (destination?.kind !== 'directory') return [];
  const said = `the destination directory ${JSON.stringify(destination.path)} does not answer`;
  const remedy = 'check its mount: a network file system whose server is gone makes everything wait';
  const late = [found('critical', 'destination.directory', said, { remedy })];
  return await within(clock, limits.folderMs, late, () => wrongBy([checkBucket], visit));
}

async function wrongBy(checks: readonly Check[], visit: Visit): Promise<Finding[]> {
  const never = new AbortController().signal;
  const results = await Promise.all(checks.map((check) => check(visit, never)));
  return results
    .flatMap((result) => ('because' in result ? [] : result))
    .filter(({ level }) => level !== 'ok')
    .map(plain);
}

/** Where there is room for words alone, a policy statement is one of them. */
function plain({ statement, remedy, ...finding }: Diagnosis): Finding {
  const said = [remedy, statement && JSON.stringify(statement)].filter(Boolean).join(' ');
  return { ...finding, ...(said !== '' && { remedy: said }) };
}

/** Who is denied is known; of a bucket that is not there, nobody says whether we are. */
function validity(look: BucketLook | undefined): Pick<AccessFacts, 'valid' | 'problem'> {
  const wrong = look?.troubles.credentials;
  if (wrong !== undefined) return { valid: false, problem: wrong.finding };
  const isKnown = look?.tried.some(({ failure }) => failure === undefined || isDenied(failure));
  return isKnown ? { valid: true } : {};
}
