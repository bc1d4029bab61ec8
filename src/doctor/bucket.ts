import type { DirectoryDestination, S3Destination } from '../config/config.ts';
import { fixedPrefix } from '../domain/object-key.ts';
import { existing, writableProblem } from './access.ts';
import { counted, type Diagnosis, found, type NotLooked } from './finding.ts';
import { checkMount } from './hung-places.ts';
import type { Visit } from './visit.ts';

/** Whether there is a bucket of this name, in this region, at a server that is one of S3. */
export async function checkBucket(visit: Visit): Promise<readonly Diagnosis[] | NotLooked> {
  const { destination } = visit;
  if (destination === undefined) return { because: 'no destination is configured' };
  if (destination.kind === 'directory') return [await checkDirectory(destination, visit)];
  const look = await visit.bucket();
  if (look === undefined) return (await visit.endpoint()) ? unreached : [noAddress(destination)];
  const { bucket: trouble, ...others } = look.troubles;
  if (trouble !== undefined) return [trouble];
  if (Object.keys(others).length > 0) return notAsked;
  const prefix = fixedPrefix(destination.keyTemplate);
  const isListed = look.tried.some(({ failure }) => failure === undefined);
  const objects = look.objects >= 100 ? 'more than 100 objects' : counted(look.objects, 'object');
  const inside = isListed ? `, ${objects} under ${JSON.stringify(prefix)}` : '';
  return [found('ok', 'bucket.ok', `s3://${destination.bucket} is there${inside}`)];
}

export const unreached = { because: 'the endpoint is not reached' };
export const notAsked = { because: 'the bucket could not be asked: see above' };

function noAddress({ bucket, region, endpoint }: S3Destination): Diagnosis {
  const said = `no address can be made of bucket ${JSON.stringify(bucket)}, region ${JSON.stringify(region)} and endpoint ${JSON.stringify(endpoint ?? 'of AWS')}`;
  return found('critical', 'bucket.error', said, {
    remedy: 'check S3_BUCKET_NAME, AWS_REGION and AWS_ENDPOINT_URL_S3',
  });
}

async function checkDirectory({ path }: DirectoryDestination, { hung }: Visit): Promise<Diagnosis> {
  const where = `the destination directory ${JSON.stringify(path)}`;
  if (hung.has(path))
    return found('critical', 'destination.directory', `${where} does not answer`, { remedy: checkMount });
  const problem = await writableProblem(path);
  if (problem !== undefined)
    return found('critical', 'destination.directory', `${where} cannot be written to`, {
      evidence: problem,
      remedy: 'let the user that trainlogd runs as write there, or correct destination.url',
    });
  return found(
    'ok',
    'bucket.ok',
    `${where} ${(await existing(path)) === path ? 'can be written to' : 'can be made'}`,
  );
}
