import type { BucketWish } from '../../src/bucket/desired-state.ts';
import { type DesiredState, desiredState } from '../../src/bucket/desired-state.ts';
import type { BucketState, LifecycleRule } from '../../src/ports/bucket-admin.ts';

export function wish(more: Partial<BucketWish> = {}): DesiredState {
  return desiredState({
    bucket: 'your-company-training-logs',
    region: 'eu-central-1',
    isAws: true,
    keyTemplate: 'training-logs/{year}/{month}/{session-id}.log',
    tags: {},
    expireAfterDays: 365,
    isExpiryChosen: false,
    ...more,
  });
}

/** The rules of the guide, and what it leaves out. */
export const guideRule: LifecycleRule = {
  ID: 'training-logs-lifecycle',
  Status: 'Enabled',
  Filter: { Prefix: 'training-logs/' },
  Transitions: [
    { Days: 30, StorageClass: 'STANDARD_IA' },
    { Days: 90, StorageClass: 'GLACIER' },
  ],
  Expiration: { Days: 365 },
  NoncurrentVersionExpiration: { NoncurrentDays: 30 },
  AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
};
export const markers: LifecycleRule = {
  ID: 'training-logs-delete-markers',
  Status: 'Enabled',
  Filter: { Prefix: 'training-logs/' },
  Expiration: { ExpiredObjectDeleteMarker: true },
};

export const allBlocked = {
  blockPublicAcls: true,
  ignorePublicAcls: true,
  blockPublicPolicy: true,
  restrictPublicBuckets: true,
};

/** A bucket of which nothing differs from `wish()`. */
export const asWished: BucketState = {
  publicAccess: { value: allBlocked },
  ownership: { value: 'BucketOwnerEnforced' },
  versioning: { value: 'Enabled' },
  encryption: { value: { algorithm: 'AES256', bucketKey: false } },
  lifecycle: { value: { rules: [guideRule, markers] } },
  accessLog: { value: undefined },
  tags: { value: undefined },
};
