import { textAt } from './s3-error.ts';

/** What a refusal says beyond its code. Servers may say anything: only what has the expected shape is taken. */

/** `User: arn:… is not authorized to perform: kms:GenerateDataKey on resource: …`, as AWS says it. */
export function deniedAction(message: string): string | undefined {
  return /not authorized to perform: ((?:s3|kms|sts):[A-Za-z]{3,60})\b/.exec(message)?.[1];
}

/** The region that the bucket is in, where a server that was asked in another one names it. */
export function namedRegion(error: unknown): string | undefined {
  const named = [textAt(error, 'Region'), textAt(error, '$response', 'headers', 'x-amz-bucket-region')];
  return named.find((region) => /^[a-z0-9-]{2,40}$/.test(region));
}

const redirects = /Redirect|^AuthorizationHeaderMalformed$|^IllegalLocationConstraint|^HTTP 30[178]$/;
const denials = /^(AccessDenied|AccessForbidden|UnauthorizedAccess|HTTP 403)$/;

/** A better remedy than that of the code alone, where the answer names the action or the region. */
export function remedyOf(error: unknown, code: string, message: string): string | undefined {
  const region = redirects.test(code) ? namedRegion(error) : undefined;
  if (region !== undefined) return `set AWS_REGION=${region} (destination.region): the bucket is there`;
  const action = denials.test(code) ? deniedAction(message) : undefined;
  if (action === undefined) return undefined;
  if (action.startsWith('kms:'))
    return `allow ${action} on the KMS key (destination.kmsKeyId, or the bucket's own) to this user, in its policy and the key's: trainlogd iam policy prints the statement`;
  const orNot = action === 's3:PutObjectTagging' ? ', or remove destination.tags' : '';
  return `allow ${action} in the policy of this user${orNot}: trainlogd iam policy prints the statement`;
}
