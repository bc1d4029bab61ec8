import type { S3Destination } from './s3-client.ts';

/** For how long the copy of an archived object stays readable. */
const restoredDays = 7;

/** For a shell: an object of an archive class can be read a few hours after this was run. */
export function restoreCommand({ bucket, region, endpoint }: S3Destination, key: string): string {
  const at = endpoint === undefined ? `--region ${quote(region)}` : `--endpoint-url ${quote(endpoint)}`;
  const request = `Days=${restoredDays},GlacierJobParameters={Tier=Standard}`;
  return `aws s3api restore-object ${at} --bucket ${quote(bucket)} --key ${quote(key)} --restore-request '${request}'`;
}

/** One word of a POSIX shell, on one line, whatever is in it: keys in the bucket may be anybody's. */
function quote(word: string): string {
  if (/^[A-Za-z0-9/._:=@%+,-]+$/.test(word)) return word;
  if (!/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(word))
    return `'${word.replaceAll("'", `'\\''`)}'`;
  const bytes = [...Buffer.from(word)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`);
  return `$'${bytes.join('')}'`;
}
