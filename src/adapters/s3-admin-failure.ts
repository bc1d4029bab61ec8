import { Failure } from '../domain/failure.ts';
import type { BucketChange } from '../ports/bucket-admin.ts';
import { readError } from './s3-error.ts';
import { toFailure } from './s3-failure.ts';

const actions: Readonly<Record<BucketChange['setting'], string>> = {
  bucket: 's3:CreateBucket',
  logBucket: 's3:CreateBucket',
  logPolicy: 's3:PutBucketPolicy',
  publicAccess: 's3:PutBucketPublicAccessBlock',
  ownership: 's3:PutBucketOwnershipControls',
  versioning: 's3:PutBucketVersioning',
  encryption: 's3:PutEncryptionConfiguration',
  lifecycle: 's3:PutLifecycleConfiguration',
  accessLog: 's3:PutBucketLogging',
  tags: 's3:PutBucketTagging',
};

/** What has to be allowed for a change, as policies name it. */
export function actionOf({ setting }: BucketChange): string {
  return actions[setting];
}

/** How servers say that they know no such thing; the second kind says it of what is wrong, too. */
const unknownThere: ReadonlySet<string> = new Set([
  'NotImplemented',
  'MethodNotAllowed',
  'HTTP 405',
  'HTTP 501',
]);
const unknownElsewhere: ReadonlySet<string> = new Set(['InvalidArgument', 'InvalidRequest', 'MalformedXML']);

export function isLacking(error: unknown, isAws: boolean): boolean {
  if (isAws) return false;
  const { codes, status } = readError(error);
  return codes.some((code) => unknownThere.has(code) || (status === 400 && unknownElsewhere.has(code)));
}

interface Attempt {
  readonly action: string;
  readonly doing: string;
  readonly signal: AbortSignal;
}

/** Remedies of the agent speak of its policy; here it is the caller who is refused, or the name that is taken. */
const remedies: Readonly<Record<string, (action: string) => string>> = {
  AccessDenied: (action) =>
    `allow ${action} to whom you are here, or set AWS_PROFILE to a profile that may do it; the agent's keys may not and shall not`,
  BucketAlreadyExists: () => 'choose another name: somebody else has a bucket of this one',
  InvalidBucketAclWithObjectOwnership: () =>
    "take the grants to others out of the bucket's ACL first, and give them by its policy: without ACLs they would be lost",
  OperationAborted: () => 'run it again: somebody else is changing the bucket',
  InvalidTargetBucketForLogging: () =>
    'check bucket.accessLogBucket: it has to be of the same account and region, and not encrypted with KMS',
};

export function adminFailure(error: unknown, { action, doing, signal }: Attempt): Failure {
  const failure = toFailure(error, doing, signal);
  const isRefused =
    failure.denied && /^(AccessDenied|AccessForbidden|UnauthorizedAccess|HTTP 403)$/.test(failure.code);
  const remedy = remedies[isRefused ? 'AccessDenied' : failure.code]?.(action);
  if (remedy === undefined) return failure;
  const { code, message, denied, cause } = failure;
  const kind = failure.kind === 'transient' ? 'permanent' : failure.kind;
  return new Failure({ kind, code, attempted: message, remedy, denied, cause });
}
