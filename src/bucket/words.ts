import type { AccessLog, Encryption, LifecycleRule, PublicAccess } from '../ports/bucket-admin.ts';

/** Settings in the words of the setup guide. What stands in a bucket may be anything: the printer takes escapes out. */

const accessNames: Readonly<Record<keyof PublicAccess, string>> = {
  blockPublicAcls: 'BlockPublicAcls',
  ignorePublicAcls: 'IgnorePublicAcls',
  blockPublicPolicy: 'BlockPublicPolicy',
  restrictPublicBuckets: 'RestrictPublicBuckets',
};

export const accessFlags = Object.keys(accessNames) as readonly (keyof PublicAccess)[];

export function accessText(access: PublicAccess): string {
  const blocked = accessFlags.filter((flag) => access[flag]);
  if (blocked.length === accessFlags.length) return 'all four blocks';
  return blocked.length === 0 ? 'no block' : flagsText(blocked);
}

export function flagsText(flags: readonly (keyof PublicAccess)[]): string {
  return flags.map((flag) => accessNames[flag]).join(', ');
}

export function encryptionText({ algorithm, kmsKeyId, bucketKey }: Encryption): string {
  if (algorithm === 'AES256') return 'SSE-S3 (AES256)';
  const key = kmsKeyId === undefined ? "AWS's own key" : `key ${kmsKeyId}`;
  return `${algorithm} with ${key}${bucketKey ? ', bucket key on' : ''}`;
}

export function accessLogText({ bucket, prefix }: AccessLog): string {
  return `to s3://${bucket}/${prefix}`;
}

export function tagsText(tags: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(tags).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? 'none' : pairs.join(', ');
}

/** `training-logs/: STANDARD_IA after 30 days, delete after 365 days` */
export function ruleText(rule: LifecycleRule): string {
  const { Transitions = [], Expiration, NoncurrentVersionExpiration, AbortIncompleteMultipartUpload } = rule;
  const moves = [...Transitions].sort((a, b) => (a.Days ?? 0) - (b.Days ?? 0));
  const { NoncurrentDays, NewerNoncurrentVersions } = NoncurrentVersionExpiration ?? {};
  const abort = AbortIncompleteMultipartUpload?.DaysAfterInitiation;
  const parts = [
    ...moves.map(({ Days, Date: date, StorageClass = '' }) => `${StorageClass} ${when(Days, date)}`),
    expiryText(rule),
    Expiration?.ExpiredObjectDeleteMarker ? 'delete markers without versions are removed' : undefined,
    NoncurrentDays === undefined ? undefined : `old versions are deleted after ${NoncurrentDays} days`,
    NewerNoncurrentVersions === undefined ? undefined : `but for the newest ${NewerNoncurrentVersions}`,
    abort === undefined ? undefined : `unfinished uploads are aborted after ${abort} days`,
  ].filter((part) => part !== undefined);
  const off = rule.Status === 'Enabled' ? '' : 'switched off; ';
  return `${off}${whereText(rule)}: ${parts.join(', ')}`;
}

function expiryText({ Expiration }: LifecycleRule): string | undefined {
  if (Expiration?.Days === undefined && Expiration?.Date === undefined) return undefined;
  return `deleted ${when(Expiration.Days, Expiration.Date)}`;
}

function when(days: number | undefined, date: Date | undefined): string {
  return days === undefined
    ? `from ${date?.toISOString().slice(0, 10) ?? 'some day'} on`
    : `after ${days} days`;
}

function whereText({ Filter, Prefix }: LifecycleRule): string {
  const prefix = Filter?.Prefix ?? Prefix ?? '';
  const { Prefix: _, ...others } = Filter ?? {};
  const narrowed = Object.values(others).some((held) => held !== undefined) ? ', some objects of it' : '';
  return `${prefix === '' ? 'the whole bucket' : prefix}${narrowed}`;
}
