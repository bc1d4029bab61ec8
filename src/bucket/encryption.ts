import type { Encryption } from '../ports/bucket-admin.ts';
import { type Compared, differs, kept, right, unchanged } from './line.ts';
import { encryptionText } from './words.ts';

const setting = 'encryption';
/** From loosest to strictest; what is not here is taken for stricter than all. */
const strictness = ['AES256', 'aws:kms', 'aws:kms:dsse'];

/** KMS is stricter than SSE-S3, twice is stricter than once, a key of one's own is stricter than AWS's. */
export function compareEncryption(want: Encryption, have: Encryption | undefined): Compared {
  const wanted = encryptionText(want);
  if (have === undefined) return change(want, have, 'none');
  const is = encryptionText(have);
  if (rank(have) > rank(want)) return unchanged(kept(setting, is, wanted, 'stricter'));
  if (rank(have) < rank(want)) return change(want, have, is);
  if (have.algorithm === 'AES256') return unchanged(right(setting, is));
  if (want.kmsKeyId !== undefined && !sameKey(want.kmsKeyId, have.kmsKeyId)) return change(want, have, is);
  const sameKeyOn = { ...want, kmsKeyId: have.kmsKeyId };
  if (want.bucketKey && !have.bucketKey) return change(sameKeyOn, have, is);
  return unchanged(
    want.kmsKeyId === undefined && have.kmsKeyId !== undefined
      ? kept(setting, is, wanted, 'a key of your own is stricter')
      : right(setting, is),
  );
}

function change(want: Encryption, have: Encryption | undefined, is: string): Compared {
  const value = { ...want, ...(have?.blocked && { blocked: have.blocked }) };
  return { lines: [differs(setting, is, encryptionText(want))], changes: [{ setting: 'encryption', value }] };
}

function rank({ algorithm }: Encryption): number {
  const at = strictness.indexOf(algorithm);
  return at < 0 ? strictness.length : at;
}

/** A key may be named by its ARN, or by the end of it alone. */
function sameKey(one: string, other: string | undefined): boolean {
  if (other === undefined) return false;
  const isWhole = one.startsWith('arn:') && other.startsWith('arn:');
  return isWhole ? one === other : shortName(one) === shortName(other);
}

function shortName(key: string): string {
  return key.replace(/^arn:.*:(?=(key|alias)\/)/, '').replace(/^key\//, '');
}
