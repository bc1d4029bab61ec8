/**
 * What of a bucket is looked after by `trainlogd bucket`: each setting can be read, and most can be written. Nothing
 * else of a bucket is touched, and objects never.
 */
export interface BucketSettings {
  readonly publicAccess: PublicAccess;
  /** `BucketOwnerEnforced`, `BucketOwnerPreferred`, `ObjectWriter`. */
  readonly ownership: string;
  readonly versioning: 'Enabled' | 'Suspended';
  readonly encryption: Encryption;
  readonly lifecycle: Lifecycle;
  readonly accessLog: AccessLog;
  readonly tags: Readonly<Record<string, string>>;
}

export type SettingName = keyof BucketSettings;

/** True: blocked. */
export interface PublicAccess {
  readonly blockPublicAcls: boolean;
  readonly ignorePublicAcls: boolean;
  readonly blockPublicPolicy: boolean;
  readonly restrictPublicBuckets: boolean;
}

/** What objects are encrypted with that ask for nothing. */
export interface Encryption {
  /** `AES256`, `aws:kms`, `aws:kms:dsse`. */
  readonly algorithm: string;
  readonly kmsKeyId?: string | undefined;
  /** Fewer requests to KMS, each of which costs. */
  readonly bucketKey: boolean;
  /** Encryption types that uploads must not ask for; kept as they are. */
  readonly blocked?: readonly string[] | undefined;
}

export interface Lifecycle {
  readonly rules: readonly LifecycleRule[];
  /** Of the smallest object that moves; lost unless it is sent with the rules. */
  readonly minimumSize?: string | undefined;
}

/** A rule as S3 has it, in its own names: rules of others are handed back as they were read. */
export interface LifecycleRule {
  readonly ID?: string | undefined;
  readonly Status: 'Enabled' | 'Disabled' | undefined;
  readonly Filter?: LifecycleFilter | undefined;
  /** The older way of saying it. */
  readonly Prefix?: string | undefined;
  readonly Transitions?: readonly Transition[] | undefined;
  readonly Expiration?:
    | {
        readonly Days?: number | undefined;
        readonly Date?: Date | undefined;
        readonly ExpiredObjectDeleteMarker?: boolean | undefined;
      }
    | undefined;
  readonly NoncurrentVersionTransitions?: readonly object[] | undefined;
  readonly NoncurrentVersionExpiration?:
    | {
        readonly NoncurrentDays?: number | undefined;
        readonly NewerNoncurrentVersions?: number | undefined;
      }
    | undefined;
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation?: number | undefined } | undefined;
}

export interface LifecycleFilter {
  readonly Prefix?: string | undefined;
  readonly Tag?: object | undefined;
  readonly ObjectSizeGreaterThan?: number | undefined;
  readonly ObjectSizeLessThan?: number | undefined;
  readonly And?: object | undefined;
}

export interface Transition {
  readonly Days?: number | undefined;
  readonly Date?: Date | undefined;
  readonly StorageClass?: string | undefined;
}

export interface AccessLog {
  readonly bucket: string;
  readonly prefix: string;
}

/** As read; `lacking`: the endpoint does not know the setting, and what it answered. */
export type Read<T> = { readonly value: T | undefined } | { readonly lacking: string };

export type BucketState = { readonly [Name in SettingName]: Read<BucketSettings[Name]> };

/** The bucket that access logs go to: its policy has to let the logging service in. */
export interface LogTarget {
  /** Its policy's text, where it has one. */
  readonly policy: Read<string>;
}

/** In the order in which they are to be made. */
export type BucketChange =
  | { readonly setting: 'bucket' }
  | { readonly setting: 'logBucket'; readonly bucket: string }
  | { readonly setting: 'logPolicy'; readonly bucket: string; readonly policy: string }
  | { [Name in SettingName]: { readonly setting: Name; readonly value: BucketSettings[Name] } }[SettingName];

/** Throws Failure. Whoever asks has the rights of an administrator: the agent has none of these. */
export interface BucketAdmin {
  /** Undefined: there is no such bucket. */
  read(signal: AbortSignal): Promise<BucketState | undefined>;
  /** Undefined: there is no such bucket. */
  readLogTarget(bucket: string, signal: AbortSignal): Promise<LogTarget | undefined>;
  /** A text: the endpoint knows no such thing, and what it answered. */
  change(change: BucketChange, signal: AbortSignal): Promise<string | undefined>;
}
