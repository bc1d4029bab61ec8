import type {
  GetBucketLifecycleConfigurationOutput,
  PublicAccessBlockConfiguration,
  ServerSideEncryptionRule,
  Tag,
} from '@aws-sdk/client-s3';
import type { BucketSettings, Encryption, Lifecycle, PublicAccess } from '../ports/bucket-admin.ts';

/** Between S3's documents and our nouns, both ways. What is absent there is as S3 means it: off. */

export function asAccess(found: PublicAccessBlockConfiguration | undefined): PublicAccess | undefined {
  return (
    found && {
      blockPublicAcls: found.BlockPublicAcls ?? false,
      ignorePublicAcls: found.IgnorePublicAcls ?? false,
      blockPublicPolicy: found.BlockPublicPolicy ?? false,
      restrictPublicBuckets: found.RestrictPublicBuckets ?? false,
    }
  );
}

export function fromAccess(access: PublicAccess): PublicAccessBlockConfiguration {
  return {
    BlockPublicAcls: access.blockPublicAcls,
    IgnorePublicAcls: access.ignorePublicAcls,
    BlockPublicPolicy: access.blockPublicPolicy,
    RestrictPublicBuckets: access.restrictPublicBuckets,
  };
}

export function asVersioning({
  Status,
}: {
  Status?: string | undefined;
}): BucketSettings['versioning'] | undefined {
  return Status === 'Enabled' || Status === 'Suspended' ? Status : undefined;
}

export function asEncryption(rule: ServerSideEncryptionRule | undefined): Encryption | undefined {
  const { SSEAlgorithm, KMSMasterKeyID } = rule?.ApplyServerSideEncryptionByDefault ?? {};
  if (SSEAlgorithm === undefined) return undefined;
  return {
    algorithm: SSEAlgorithm,
    kmsKeyId: KMSMasterKeyID,
    bucketKey: rule?.BucketKeyEnabled ?? false,
    blocked: rule?.BlockedEncryptionTypes?.EncryptionType,
  };
}

export function fromEncryption({
  algorithm,
  kmsKeyId,
  bucketKey,
  blocked,
}: Encryption): ServerSideEncryptionRule {
  const types = blocked as NonNullable<ServerSideEncryptionRule['BlockedEncryptionTypes']>['EncryptionType'];
  return {
    ApplyServerSideEncryptionByDefault: {
      SSEAlgorithm: algorithm as 'AES256' | 'aws:kms',
      ...(kmsKeyId !== undefined && { KMSMasterKeyID: kmsKeyId }),
    },
    BucketKeyEnabled: bucketKey,
    ...(types && { BlockedEncryptionTypes: { EncryptionType: types } }),
  };
}

export function asLifecycle({
  Rules,
  TransitionDefaultMinimumObjectSize,
}: GetBucketLifecycleConfigurationOutput): Lifecycle {
  const rules = (Rules ?? []).map((rule) => ({ ...rule, Status: rule.Status }));
  return { rules, minimumSize: TransitionDefaultMinimumObjectSize };
}

export function asTags(found: readonly Tag[] | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries((found ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? '']));
}
