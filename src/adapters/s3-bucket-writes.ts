import {
  type LifecycleRule,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketLoggingCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
  type S3Client,
  type TransitionDefaultMinimumObjectSize,
} from '@aws-sdk/client-s3';
import type { BucketChange, Lifecycle } from '../ports/bucket-admin.ts';
import { fromAccess, fromEncryption } from './s3-bucket-settings.ts';

type Settable = Exclude<BucketChange, { readonly setting: 'bucket' | 'logBucket' }>;

/** One setting, whole: S3 has no way to change a part of one. */
export async function sendChange(
  client: S3Client,
  bucket: string,
  change: Settable,
  abortSignal: AbortSignal,
): Promise<void> {
  const [Bucket, options] = [bucket, { abortSignal }] as const;
  switch (change.setting) {
    case 'publicAccess': {
      const PublicAccessBlockConfiguration = fromAccess(change.value);
      await client.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }), options);
      return;
    }
    case 'ownership': {
      const OwnershipControls = { Rules: [{ ObjectOwnership: change.value as 'BucketOwnerEnforced' }] };
      await client.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls }), options);
      return;
    }
    case 'versioning': {
      const VersioningConfiguration = { Status: change.value };
      await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }), options);
      return;
    }
    case 'encryption': {
      const ServerSideEncryptionConfiguration = { Rules: [fromEncryption(change.value)] };
      const input = { Bucket, ServerSideEncryptionConfiguration };
      await client.send(new PutBucketEncryptionCommand(input), options);
      return;
    }
    case 'lifecycle':
      await client.send(
        new PutBucketLifecycleConfigurationCommand(lifecycleInput(bucket, change.value)),
        options,
      );
      return;
    case 'accessLog': {
      const LoggingEnabled = { TargetBucket: change.value.bucket, TargetPrefix: change.value.prefix };
      const input = { Bucket, BucketLoggingStatus: { LoggingEnabled } };
      await client.send(new PutBucketLoggingCommand(input), options);
      return;
    }
    case 'tags': {
      const TagSet = Object.entries(change.value).map(([Key, Value]) => ({ Key, Value }));
      await client.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }), options);
      return;
    }
    case 'logPolicy': {
      const input = { Bucket: change.bucket, Policy: change.policy };
      await client.send(new PutBucketPolicyCommand(input), options);
    }
  }
}

/** Rules are the SDK's own, read before; what is ours in them has the same names. */
function lifecycleInput(bucket: string, { rules, minimumSize }: Lifecycle) {
  return {
    Bucket: bucket,
    LifecycleConfiguration: { Rules: rules as LifecycleRule[] },
    ...(minimumSize !== undefined && {
      TransitionDefaultMinimumObjectSize: minimumSize as TransitionDefaultMinimumObjectSize,
    }),
  };
}
