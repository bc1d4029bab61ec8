import { fileURLToPath } from 'node:url';
import type { CredentialPlaces, Destination, DirectoryDestination, S3Destination } from './config.ts';
import type { FoundCredentials } from './credentials.ts';
import { editDistance } from './nearest.ts';
import { isWithin } from './paths.ts';
import { type Findings, quoteValue } from './problem.ts';
import type { Resolved } from './resolve.ts';
import type { OptionKey } from './schema.ts';

export interface DestinationContext {
  readonly resolved: Resolved;
  readonly credentials: FoundCredentials | undefined;
  readonly places: CredentialPlaces;
  /** Absolute; undefined when the configured one was refused. */
  readonly watched: string | undefined;
  /** Names of all variables that are set, to name the one that was meant for the bucket. */
  readonly variableNames: readonly string[];
  /** A path with its links followed as far as it exists. */
  readonly follow: (path: string) => string;
  readonly findings: Findings;
}

/** Amazon's rule, minus the forms that only look like addresses. Other servers allow more. */
const amazonBucket = /^(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const anyBucket = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/;
/** Classes whose objects answer a GET at once: logs are read back before they are rewritten. */
const readableClasses = [
  'STANDARD',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'REDUCED_REDUNDANCY',
];
/** A directory there cannot be made, and would be asked for again and again. */
const systemTrees = ['/proc', '/sys'];
const guidePrefix = 'training-logs/';

/** The destination that the options describe, or undefined with its problems reported. */
export function buildDestination(context: DestinationContext): Destination | undefined {
  const { resolved } = context;
  const url = resolved.values['destination.url'];
  if (resolved.refused.has('destination.url')) return undefined;
  if (url === undefined) {
    context.findings.problems.push({ key: 'destination.url', problem: noBucket(context.variableNames) });
    return undefined;
  }
  if (url.startsWith('s3://')) return buildS3(url.slice('s3://'.length), context);
  if (url.startsWith('file:')) return buildDirectory(url, context);
  refuse(context, 'destination.url', 'accepted: s3://BUCKET or file:///ABSOLUTE/PATH');
  return undefined;
}

function buildS3(location: string, context: DestinationContext): S3Destination | undefined {
  const { values, refused } = context.resolved;
  const [bucket = '', ...rest] = location.split('/');
  const endpoint = values['destination.endpoint'];
  const customServer = endpoint !== undefined || refused.has('destination.endpoint');
  if (rest.some((part) => part !== ''))
    refuse(context, 'destination.url', 'a path behind the bucket: put it into destination.keyTemplate');
  else if (!(customServer ? anyBucket : amazonBucket).test(bucket))
    refuse(
      context,
      'destination.url',
      'not a bucket name; accepted: 3 to 63 lower-case letters, digits, "-" and "."',
    );
  checkS3Options(customServer, context);
  const encryption = values['destination.encryption'];
  const storageClass = values['destination.storageClass'];
  const kmsKeyId = values['destination.kmsKeyId'];
  const pathStyle = values['destination.pathStyle'];
  const destination: S3Destination = {
    kind: 's3',
    bucket,
    region: values['destination.region'] ?? defaultRegion(customServer, context),
    ...(endpoint !== undefined && { endpoint }),
    pathStyle: pathStyle === 'auto' ? customServer : pathStyle,
    keyTemplate: values['destination.keyTemplate'],
    ...(storageClass !== undefined && { storageClass }),
    ...(encryption !== 'none' && { encryption }),
    ...(kmsKeyId !== undefined && { kmsKeyId }),
    tags: values['destination.tags'],
    checksums: values['destination.checksums'],
  };
  Object.defineProperty(destination, 'credentialPlaces', { value: context.places, enumerable: false });
  if (context.credentials)
    Object.defineProperty(destination, 'credentials', {
      value: context.credentials.credentials,
      enumerable: false,
    });
  return destination;
}

function checkS3Options(customServer: boolean, context: DestinationContext): void {
  const { values, refused } = context.resolved;
  const storageClass = values['destination.storageClass'];
  if (storageClass !== undefined && !customServer && !readableClasses.includes(storageClass))
    refuse(
      context,
      'destination.storageClass',
      `not readable at once; accepted: ${readableClasses.join(', ')}`,
    );
  const kms = values['destination.encryption'] === 'aws:kms' || refused.has('destination.encryption');
  if (values['destination.kmsKeyId'] !== undefined && !kms)
    refuse(context, 'destination.kmsKeyId', 'has no effect without destination.encryption: aws:kms');
  if (!values['destination.keyTemplate'].startsWith(guidePrefix))
    context.findings.warnings.push(
      `destination.keyTemplate: keys outside ${guidePrefix} are not covered by the guide's policy and lifecycle rules`,
    );
}

function defaultRegion(customServer: boolean, { resolved, findings }: DestinationContext): string {
  if (!customServer && !resolved.refused.has('destination.region'))
    findings.warnings.push('destination.region: neither it nor AWS_REGION is set; us-east-1 is assumed');
  return 'us-east-1';
}

function buildDirectory(url: string, context: DestinationContext): DirectoryDestination | undefined {
  const path = localPath(url);
  if (path === undefined) {
    refuse(context, 'destination.url', 'not an absolute local path; accepted: file:///ABSOLUTE/PATH');
    return undefined;
  }
  const { watched, follow } = context;
  if (systemTrees.some((tree) => isWithin(tree, path) || isWithin(tree, follow(path)))) {
    refuse(
      context,
      'destination.url',
      `keeps no files: ${systemTrees.join(' and ')} are the system's own; accepted: a directory on a disk`,
    );
    return undefined;
  }
  if (watched !== undefined && overlap(watched, path, follow))
    refuse(
      context,
      'destination.url',
      `must be apart from the watched folder ${quoteValue(watched)}: not it, not inside it, not around it`,
    );
  if (context.resolved.values['retention.localFiles'] === 'delete')
    refuse(
      context,
      'retention.localFiles',
      'delete needs a bucket: with a file: destination local files are kept; set keep',
    );
  return { kind: 'directory', path, keyTemplate: context.resolved.values['destination.keyTemplate'] };
}

function localPath(url: string): string | undefined {
  if (!/^file:\/\/(localhost)?\/[^/]/.test(url) || /[?#]/.test(url)) return undefined;
  try {
    return fileURLToPath(url).replace(/(?<=.)\/+$/, '');
  } catch {
    // An escaped slash or a broken escape: no path, and reported as such.
    return undefined;
  }
}

/** By name, and again with links followed: either is enough for a loop. */
function overlap(watched: string, path: string, follow: (path: string) => string): boolean {
  const pairs = [
    [watched, path],
    [follow(watched), follow(path)],
  ] as const;
  return pairs.some(([first, second]) => isWithin(first, second) || isWithin(second, first));
}

function refuse({ resolved, findings }: DestinationContext, key: OptionKey, problem: string): void {
  const setting = resolved.settings.get(key);
  findings.problems.push({
    key,
    ...(setting && { value: quoteValue(setting.raw), at: setting.source.at }),
    problem,
  });
}

function noBucket(names: readonly string[]): string {
  const wanted = 'S3_BUCKET_NAME';
  const near = names
    .filter(
      (name) => name !== wanted && (/BUCKET/i.test(name) || editDistance(name.toUpperCase(), wanted) <= 3),
    )
    .toSorted((a, b) => editDistance(a.toUpperCase(), wanted) - editDistance(b.toUpperCase(), wanted))[0];
  const hint = near === undefined ? '' : `; ${near} is set: was ${wanted} meant?`;
  return `no bucket is named: set ${wanted}=BUCKET, or destination.url to s3://BUCKET or file:///PATH${hint}`;
}
