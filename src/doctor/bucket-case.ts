import { Failure } from '../domain/failure.ts';
import { fixedPrefix } from '../domain/object-key.ts';
import { type Asking, isDenied, list } from './asking.ts';
import { type Diagnosis, found } from './finding.ts';

interface Asked {
  readonly troubles: { readonly bucket?: Diagnosis };
}

/**
 * Names of buckets are told apart by case, and old tools wrote them with capitals. Whether one is there in small letters
 * is asked like any other: a list under the prefix.
 */
export async function withCase<Look extends Asked>(look: Look, asking: Asking): Promise<Look> {
  const { destination } = asking;
  const small = destination.bucket.toLowerCase();
  const missing = look.troubles.bucket;
  if (missing?.code !== 'bucket.missing' || small === destination.bucket) return look;
  const other = { ...asking, destination: { ...destination, bucket: small } };
  const answer = await list(other, fixedPrefix(destination.keyTemplate));
  if (answer instanceof Failure && answer.code === missing.code) return look;
  const isThere = !(answer instanceof Failure) || isDenied(answer);
  if (!isThere) return look;
  const finding = `there is no bucket ${JSON.stringify(destination.bucket)}, but one called ${JSON.stringify(small)}`;
  const remedy = `set S3_BUCKET_NAME=${small}: names of buckets are told apart by case`;
  const { evidence } = missing;
  return { ...look, troubles: { bucket: found('critical', 'bucket.case', finding, { evidence, remedy }) } };
}
