import type { AwsIdentity } from '../adapters/aws-credential-chain.ts';
import { renewThemselves } from '../domain/credential-renewal.ts';
import { Failure } from '../domain/failure.ts';
import { expiryFindings } from '../services/assess-credentials.ts';
import { type Diagnosis, found, isDirectory, type NotLooked } from './finding.ts';
import type { Visit } from './visit.ts';
import { within } from './within.ts';

/** Where credentials come from, whether they look like some, and what the server says of them. */
export async function checkCredentials(visit: Visit): Promise<readonly Diagnosis[] | NotLooked> {
  const { destination, access, clock, limits } = visit;
  if (destination === undefined) return { because: 'no destination is configured' };
  if (destination.kind === 'directory' || access === undefined) return isDirectory;
  const current = () => access.credentials.current().catch(asFailure);
  const [identity, look] = await Promise.all([
    within(clock, limits.credentialsMs, undefined, current),
    visit.bucket(),
  ]);
  const trouble = look?.troubles.credentials;
  const isHeld = identity !== undefined && !(identity instanceof Failure);
  // What the configuration has told of a value is not told again.
  const isTold = visit.problems.some(({ key }) => /^AWS_.*(KEY|TOKEN)/.test(key));
  const shape = isHeld && !isTold ? shapeOf(identity) : [];
  if (trouble !== undefined) return [sourced(trouble, visit), ...shape];
  if (!isHeld) return [uncertain(identity)];
  const { source, expiresAt } = access.credentials.describe();
  const until = expiresAt === undefined ? '' : `, until ${expiresAt}`;
  const isTaken = look?.asked === true && Object.keys(look.troubles).length === 0;
  const taken = isTaken ? 'the server takes them' : 'the server was not asked';
  const said = `${shownId(identity)} from ${source}${until}; ${taken}`;
  return [found('ok', 'credentials.ok', said), ...shape, ...expiring(identity, visit)];
}

function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  throw error;
}

/** Nobody asked the bucket, so nobody told. */
function uncertain(failure: Failure | undefined): Diagnosis {
  const said = 'the place that credentials are set up at gives none';
  const evidence = failure?.message ?? 'it does not answer';
  const remedy = failure?.remedy ?? 'check the process or service that gives them';
  const code = failure?.code === 'NoCredentials' ? 'credentials.missing' : 'credentials.source';
  return found('critical', code, said, { evidence, remedy });
}

function sourced(trouble: Diagnosis, { access }: Visit): Diagnosis {
  const source = access?.credentials.describe().source;
  if (source === undefined || source === 'none yet') return trouble;
  return { ...trouble, evidence: `credentials from ${source}; ${trouble.evidence ?? ''}` };
}

/** Kind and last characters: enough to find it in a list of keys. */
function shownId({ accessKeyId }: AwsIdentity): string {
  return accessKeyId.length < 12 ? 'an access key' : `${accessKeyId.slice(0, 4)}…${accessKeyId.slice(-4)}`;
}

const spaces = /\s|[\u200B-\u200D\u2060\uFEFF]/u;

/** What Amazon's keys look like: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html */
function shapeOf({ accessKeyId, secretAccessKey, sessionToken }: AwsIdentity): Diagnosis[] {
  const isAmazons = /^A(KI|SI)A/.test(accessKeyId);
  const odd: Diagnosis[] = [];
  const warn = (said: string, remedy: string) =>
    void odd.push(found('warning', 'credentials.shape', said, { remedy }));
  const copy = 'copy it again from where it was made, without spaces and quotes';
  if (spaces.test(accessKeyId) || /["'`]/.test(accessKeyId))
    warn('there are spaces or quotes in AWS_ACCESS_KEY_ID', copy);
  else if (isAmazons && !/^[A-Z0-9]{20}$/.test(accessKeyId))
    warn(
      `AWS_ACCESS_KEY_ID has ${accessKeyId.length} characters, and Amazon's have 20 capitals and digits`,
      copy,
    );
  if (spaces.test(secretAccessKey) || /["'`]/.test(secretAccessKey))
    warn('there are spaces or quotes in AWS_SECRET_ACCESS_KEY', copy);
  else if (isAmazons && secretAccessKey.length !== 40)
    warn(`AWS_SECRET_ACCESS_KEY has ${secretAccessKey.length} characters, and Amazon's have 40`, copy);
  if (/^A(KI|SI)A[A-Z0-9]{16}$/.test(secretAccessKey))
    warn(
      'AWS_SECRET_ACCESS_KEY looks like an access key id',
      'give the secret there, the id as AWS_ACCESS_KEY_ID',
    );
  if (accessKeyId.startsWith('ASIA') && !sessionToken) odd.push(tokenMissing());
  if (accessKeyId.startsWith('AKIA') && sessionToken)
    warn('a lasting access key (AKIA…) has no session token, and one is set', 'unset AWS_SESSION_TOKEN');
  return odd;
}

function tokenMissing(): Diagnosis {
  const said = 'this access key is a temporary one (ASIA…), and AWS_SESSION_TOKEN is not set';
  const remedy = 'set AWS_SESSION_TOKEN as well: all three values come together, and end together';
  return found('critical', 'credentials.tokenMissing', said, { remedy });
}

/** Of those that renew themselves, a failed renewal is told by their source. */
function expiring({ expiration }: AwsIdentity, { access, clock, config }: Visit): Diagnosis[] {
  const warnMs = config?.report.credentialExpiryWarnMs;
  const source = access?.credentials.describe().source;
  if (!expiration || warnMs === undefined || source === undefined || renewThemselves(source)) return [];
  return expiryFindings(source, expiration.getTime() - clock.nowMs(), warnMs);
}
