import { fixedPrefix } from '../domain/object-key.ts';

/** What the agent may be allowed: the first three always, the others where the configuration needs them. */
export type Action =
  | 's3:ListBucket'
  | 's3:GetObject'
  | 's3:PutObject'
  | 's3:PutObjectTagging'
  | 'kms:GenerateDataKey'
  | 'kms:Decrypt';

/** Of the destination: what decides on its permissions. */
export interface PolicyTarget {
  readonly bucket: string;
  readonly region: string;
  readonly endpoint?: string;
  readonly keyTemplate: string;
  readonly encryption?: string;
  readonly kmsKeyId?: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: 'Allow';
  readonly Action: string | readonly string[];
  readonly Resource: string;
  readonly Condition?: object;
}

/** The setup guide's policy for this bucket and prefix, and no more than the configuration needs beyond it. */
export function agentPolicy(target: PolicyTarget): object {
  const { kmsKeyId, tags } = target;
  const upload = { Sid: 'TrainingLogsUpload', ...onObjects(['s3:PutObject', 's3:GetObject'], target) };
  const list = { Sid: 'ListBucket', ...statementFor('s3:ListBucket', target) };
  const tagging = { Sid: 'TrainingLogsTags', ...statementFor('s3:PutObjectTagging', target) };
  const key = { Sid: 'TrainingLogsKey', ...statementFor('kms:GenerateDataKey', target) };
  return {
    Version: '2012-10-17',
    Statement: [
      upload,
      list,
      ...(Object.keys(tags).length > 0 ? [tagging] : []),
      // The key that AWS keeps for S3 lets in whoever S3 lets in.
      ...(kmsKeyId === undefined ? [] : [key]),
    ],
  };
}

/** The statement of an identity's policy that allows it, for this bucket and prefix alone. */
export function statementFor(action: Action, target: PolicyTarget): PolicyStatement {
  const { keyTemplate } = target;
  if (action === 's3:ListBucket')
    return {
      Effect: 'Allow',
      Action: action,
      Resource: bucketArn(target),
      Condition: { StringLike: { 's3:prefix': beginningWith(keyTemplate) } },
    };
  return action.startsWith('kms:') ? onKey(target) : onObjects(action, target);
}

function onObjects(action: string | readonly string[], target: PolicyTarget): PolicyStatement {
  const { keyTemplate } = target;
  return {
    Effect: 'Allow',
    Action: action,
    Resource: `${bucketArn(target)}/${beginningWith(keyTemplate)}`,
  };
}

/** In a policy `*`, `?` and `${…}` stand for others; these are how it writes the characters themselves. */
function beginningWith(keyTemplate: string): string {
  return `${fixedPrefix(keyTemplate).replace(/[*?$]/g, (special) => `\${${special}}`)}*`;
}

/** A policy names keys by ARN alone: an alias is a condition on what the key is called. */
function onKey(target: PolicyTarget): PolicyStatement {
  const { region, kmsKeyId } = target;
  const ofRegion = `arn:${partitionOf(target)}:kms:${region}:*`;
  const base = { Effect: 'Allow', Action: ['kms:GenerateDataKey', 'kms:Decrypt'] } as const;
  if (kmsKeyId === undefined) return { ...base, Resource: '*' };
  const [, alias] = /(?:^|:)(alias\/.+)$/.exec(kmsKeyId) ?? [];
  if (alias !== undefined) {
    const [, place = ofRegion] = /^(arn:.*):alias\//.exec(kmsKeyId) ?? [];
    const Condition = { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': alias } };
    return { ...base, Resource: `${place}:key/*`, Condition };
  }
  const isArn = kmsKeyId.startsWith('arn:');
  return { ...base, Resource: isArn ? kmsKeyId : `${ofRegion}:key/${kmsKeyId}` };
}

function bucketArn(target: PolicyTarget): string {
  return `arn:${partitionOf(target)}:s3:::${target.bucket}`;
}

const partitions: readonly (readonly [RegExp, string])[] = [
  [/^cn-/, 'aws-cn'],
  [/^us-gov-/, 'aws-us-gov'],
  [/^eusc-/, 'aws-eusc'],
  [/^us-iso-/, 'aws-iso'],
  [/^us-isob-/, 'aws-iso-b'],
  [/^eu-isoe-/, 'aws-iso-e'],
  [/^us-isof-/, 'aws-iso-f'],
];

/** What stands behind `arn:`. Other servers have regions of the same names, and no partitions. */
export function partitionOf({ region, endpoint }: Pick<PolicyTarget, 'region' | 'endpoint'>): string {
  if (endpoint !== undefined && !/\.amazonaws\.com(\.cn)?(:\d+)?\/?$/.test(endpoint)) return 'aws';
  return partitions.find(([pattern]) => pattern.test(region))?.[1] ?? 'aws';
}
