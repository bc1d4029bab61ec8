import { deniedAction } from '../adapters/s3-refusal.ts';
import { partitionOf } from '../bucket/policy.ts';
import type { S3Destination } from '../config/config.ts';
import type { Failure } from '../domain/failure.ts';
import { fixedPrefix } from '../domain/object-key.ts';
import { isDenied, type Tried } from './asking.ts';
import { notAsked, unreached } from './bucket.ts';
import type { BucketLook } from './bucket-look.ts';
import type { Code } from './codes.ts';
import { type Diagnosis, found, isDirectory, type NotLooked } from './finding.ts';
import { type Action, statement } from './statement.ts';
import type { Visit } from './visit.ts';

/** Every action that the agent needs, tried as the agent does. */
export async function checkPermissions(visit: Visit): Promise<readonly Diagnosis[] | NotLooked> {
  const { destination } = visit;
  if (destination === undefined) return { because: 'no destination is configured' };
  if (destination.kind === 'directory') return isDirectory;
  const look = await visit.bucket();
  if (look === undefined) return unreached;
  if (look.tried.length === 0) return notAsked;
  const lists = listFindings(look, destination);
  const others = look.tried
    .filter(({ action }) => action !== 's3:ListBucket')
    .flatMap((tried) => refusal(tried, look, destination));
  const wrong = [...lists, ...others];
  return [...allowed(look), ...wrong, ...untested(look, visit, destination)];
}

function allowed({ tried, written }: BucketLook): Diagnosis[] {
  const actions = [...new Set(tried.map(({ action }) => action))].filter((action) =>
    tried.every((one) => one.action !== action || one.failure === undefined),
  );
  if (actions.length === 0) return [];
  const isWritten = written?.tried.every(({ failure }) => failure === undefined) === true;
  const kept = isWritten ? `; ${JSON.stringify(written?.key)} was written, and stays` : '';
  return [found('ok', 'permissions.ok', `allowed: ${actions.join(', ')}${kept}`)];
}

/** Under the prefix, and under what the agent lists in it: a condition may fit the one and not the other. */
function listFindings({ tried }: BucketLook, destination: S3Destination): Diagnosis[] {
  const lists = tried.filter(({ action }) => action === 's3:ListBucket');
  const denied = lists.find(({ failure }) => failure !== undefined);
  if (denied?.failure === undefined) return [];
  const allowedOn = lists.find(({ failure }) => failure === undefined)?.on;
  if (!isDenied(denied.failure)) return [refused(denied, denied.failure)];
  const evidence = denied.failure.message;
  const given = { evidence, statement: statement('s3:ListBucket', destination) };
  const prefix = JSON.stringify(fixedPrefix(destination.keyTemplate));
  if (allowedOn === undefined) {
    const said = `s3:ListBucket is denied under ${prefix}`;
    return [found('critical', 'permissions.list', said, { ...given, remedy: listRemedy(destination) })];
  }
  const said = `s3:ListBucket is allowed with the prefix ${JSON.stringify(allowedOn)} and denied with ${JSON.stringify(denied.on)}`;
  const isInside = denied.on.startsWith(allowedOn);
  const remedy = isInside
    ? `let the policy's condition on s3:prefix be StringLike with an asterisk at the end (${fixedPrefix(destination.keyTemplate)}*), not StringEquals`
    : `policy and destination.keyTemplate are of different places: begin keyTemplate with ${JSON.stringify(allowedOn)}, or add ${prefix} to the policy, both statements`;
  return [found('critical', 'permissions.prefix', said, { ...given, remedy })];
}

function listRemedy(destination: S3Destination): string {
  return `check that the bucket is this account's own and its name is right (a stranger's is denied as well), that the policy is attached to this very user, that its Resource is arn:${partitionOf(destination)}:s3:::${destination.bucket} without a slash, and its condition on s3:prefix fits; it needs:`;
}

function refusal(tried: Tried, look: BucketLook, destination: S3Destination): Diagnosis[] {
  const { failure, action, on } = tried;
  if (failure === undefined) return [];
  const beyond = beyondLeast(failure, look, action);
  if (beyond !== undefined) return [beyondFinding(beyond, failure, destination)];
  if (!isDenied(failure)) return [refused(tried, failure)];
  const code: Code = action === 's3:GetObject' ? 'permissions.get' : 'permissions.put';
  const prefix = fixedPrefix(destination.keyTemplate);
  const remedy = `allow it on arn:${partitionOf(destination)}:s3:::${destination.bucket}/${prefix}* (with the slash and the asterisk), and look for a Deny in the bucket's policy; it needs:`;
  const given = { evidence: failure.message, remedy, statement: statement(action, destination) };
  return [found('critical', code, `${action} is denied on ${JSON.stringify(on)}`, given)];
}

/** What was denied beyond reading and writing: told by AWS, else found out by leaving it away. */
function beyondLeast(failure: Failure, look: BucketLook, tried: Action): Action | undefined {
  if (failure.code.startsWith('KMS')) return tried === 's3:PutObject' ? 'kms:GenerateDataKey' : 'kms:Decrypt';
  const told = deniedAction(failure.message);
  if (told === 's3:PutObjectTagging' || told === 'kms:GenerateDataKey' || told === 'kms:Decrypt') return told;
  if (tried !== 's3:PutObject') return undefined;
  const reasons = { tags: 's3:PutObjectTagging', encryption: 'kms:GenerateDataKey' } as const;
  return look.written?.deniedFor && reasons[look.written.deniedFor];
}

function beyondFinding(action: Action, failure: Failure, destination: S3Destination): Diagnosis {
  const given = { evidence: failure.message, statement: statement(action, destination) };
  if (action === 's3:PutObjectTagging') {
    const said = 'destination.tags is set, and s3:PutObjectTagging is denied: nothing can be written';
    const remedy = 'allow it, or remove destination.tags; it needs:';
    return found('critical', 'permissions.tagging', said, { ...given, remedy });
  }
  const key =
    destination.kmsKeyId === undefined ? "the bucket's KMS key" : 'the KMS key of destination.kmsKeyId';
  const said = `${action} is denied on ${key}: ${action === 'kms:Decrypt' ? 'what is there cannot be read' : 'nothing can be written'}`;
  const remedy = `allow it to this user, in its own policy and in the key's policy (another account's key needs both), and check that the key is enabled and of the bucket's region; it needs:`;
  return found('critical', 'permissions.kms', said, { ...given, remedy });
}

/** No refusal for want of a right: the request itself, or the moment. */
function refused({ action, on }: Tried, failure: Failure): Diagnosis {
  const remedy = failure.remedy ?? 'run doctor again; look for this code in the documents of the server';
  const level = failure.kind === 'transient' ? 'warning' : 'critical';
  const said = `${action} on ${JSON.stringify(on)} fails`;
  return found(level, 'permissions.refused', said, { evidence: failure.message, remedy });
}

function untested({ tried }: BucketLook, { write }: Visit, { tags, encryption }: S3Destination): Diagnosis[] {
  const written = [
    's3:PutObject',
    ...(Object.keys(tags).length > 0 ? ['s3:PutObjectTagging'] : []),
    ...(encryption === 'aws:kms' ? ['kms:GenerateDataKey'] : []),
  ].join(', ');
  const isTried = (action: Action) => tried.some((one) => one.action === action);
  const not = [
    ...(isTried('s3:GetObject') ? [] : ['s3:GetObject (no object is there to be read)']),
    ...(isTried('s3:PutObject') ? [] : [`${written} (trainlogd doctor --write writes one small object)`]),
  ];
  if (not.length === 0 || (write && isTried('s3:PutObject'))) return [];
  return [found('ok', 'permissions.untested', `not tried: ${not.join(', ')}`)];
}
