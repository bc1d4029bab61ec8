import { fixedPrefix } from '../domain/object-key.ts';
import type {
  AccessLog,
  Encryption,
  LifecycleRule,
  PublicAccess,
  Transition,
} from '../ports/bucket-admin.ts';

/** What the configuration says of the bucket, and what is known of its endpoint. */
export interface BucketWish {
  readonly bucket: string;
  readonly region: string;
  readonly isAws: boolean;
  readonly keyTemplate: string;
  readonly encryption?: 'AES256' | 'aws:kms';
  readonly kmsKeyId?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly accessLogBucket?: string;
  /** Absent: never. */
  readonly expireAfterDays?: number;
  /** Somebody wrote bucket.expireAfter; the default decides nothing about a rule that is there. */
  readonly isExpiryChosen: boolean;
}

/** The setup guide's steps 1, 4 and 5 as settings, and what the guide leaves out on a bucket that keeps versions. */
export interface DesiredState {
  readonly bucket: string;
  readonly region: string;
  readonly isAws: boolean;
  readonly publicAccess: PublicAccess;
  readonly ownership: 'BucketOwnerEnforced';
  readonly versioning: 'Enabled';
  readonly encryption: Encryption;
  readonly lifecycle: DesiredLifecycle;
  readonly accessLog?: AccessLog;
  readonly tags: Readonly<Record<string, string>>;
}

export interface DesiredLifecycle {
  readonly prefix: string;
  readonly expireAfterDays: number | undefined;
  readonly isExpiryChosen: boolean;
  readonly ids: { readonly logs: string; readonly markers: string };
}

const guidePrefix = 'training-logs/';
const guideRule = 'training-logs-lifecycle';
const markersRule = 'training-logs-delete-markers';
/** Of AWS, in characters. */
const idLengthMax = 255;

/** Versions that were replaced or deleted are there for this long: time to notice a mistake. */
export const noncurrentDays = 30;
/** The agent goes on with an upload for up to five days; what is older is nobody's. */
export const abortDays = 7;
/** AWS takes no transition to STANDARD_IA before the 30th day. */
const transitions = [
  { Days: 30, StorageClass: 'STANDARD_IA' },
  { Days: 90, StorageClass: 'GLACIER' },
] as const;

export function desiredState(wish: BucketWish): DesiredState {
  const { bucket, region, isAws, keyTemplate, encryption = 'AES256', kmsKeyId, tags } = wish;
  const { accessLogBucket, expireAfterDays, isExpiryChosen } = wish;
  const prefix = fixedPrefix(keyTemplate);
  return {
    bucket,
    region,
    isAws,
    publicAccess: {
      blockPublicAcls: true,
      ignorePublicAcls: true,
      blockPublicPolicy: true,
      restrictPublicBuckets: true,
    },
    ownership: 'BucketOwnerEnforced',
    versioning: 'Enabled',
    encryption: { algorithm: encryption, kmsKeyId, bucketKey: encryption === 'aws:kms' },
    lifecycle: { prefix, expireAfterDays, isExpiryChosen, ids: idsFor(prefix) },
    ...(accessLogBucket !== undefined && { accessLog: { bucket: accessLogBucket, prefix: `${bucket}/` } }),
    tags,
  };
}

/** The guide's rule is taken over where the prefix is the guide's: agents of other prefixes have rules of their own. */
function idsFor(prefix: string): DesiredLifecycle['ids'] {
  if (prefix === guidePrefix) return { logs: guideRule, markers: markersRule };
  const named = (id: string) => `${id}:${prefix}`.slice(0, idLengthMax);
  return { logs: named(guideRule), markers: named(markersRule) };
}

/** AWS refuses a rule that moves objects on or after the day on which it deletes them. */
export function transitionsBefore(expireAfterDays: number | undefined): readonly Transition[] {
  return transitions.filter(({ Days }) => expireAfterDays === undefined || Days < expireAfterDays);
}

/** A rule of its own: AWS refuses delete markers in one that expires by days. */
export function markerRule({ prefix, ids }: DesiredLifecycle): LifecycleRule {
  return {
    ID: ids.markers,
    Status: 'Enabled',
    Filter: { Prefix: prefix },
    Expiration: { ExpiredObjectDeleteMarker: true },
  };
}
