import type { S3Destination } from '../config/config.ts';
import { fixedPrefix } from '../domain/object-key.ts';

export type Action =
  | 's3:ListBucket'
  | 's3:GetObject'
  | 's3:PutObject'
  | 's3:PutObjectTagging'
  | 'kms:GenerateDataKey'
  | 'kms:Decrypt';

/** The statement of an identity's policy that allows it, for this bucket and prefix alone. */
export function statement(action: Action, { bucket, keyTemplate, kmsKeyId }: S3Destination): object {
  const prefix = fixedPrefix(keyTemplate);
  const arn = `arn:aws:s3:::${bucket}`;
  if (action === 's3:ListBucket')
    return {
      Effect: 'Allow',
      Action: action,
      Resource: arn,
      Condition: { StringLike: { 's3:prefix': `${prefix}*` } },
    };
  if (action.startsWith('kms:'))
    return { Effect: 'Allow', Action: ['kms:GenerateDataKey', 'kms:Decrypt'], Resource: kmsKeyId ?? '*' };
  return { Effect: 'Allow', Action: action, Resource: `${arn}/${prefix}*` };
}
