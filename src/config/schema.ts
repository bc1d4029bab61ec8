import { defaultExcludes } from './default-globs.ts';
import { excludes, globs, name, path, pod, tags } from './option-types.ts';
import { checkEndpoint, checkGlob, checkKeyTemplate, checkPath } from './text-checks.ts';
import type { Plain, ValueType } from './value-types.ts';
import {
  autoOr,
  autoOrBoolean,
  checkedText,
  duration,
  integer,
  number,
  oneOf,
  size,
  text,
} from './value-types.ts';

export type { Config, Destination, DirectoryDestination, S3Destination } from './config.ts';

/**
 * One option. The key is its name in the table; its variable, its place in the YAML file, the reference
 * file and every message derive from this one declaration.
 */
export interface Option<T> {
  readonly type: ValueType<T>;
  readonly doc: string;
  /** In configuration syntax. Absent: unset, or computed as `computed` says. */
  readonly default?: Plain;
  /** How an absent default is made up. */
  readonly computed?: string;
  /** A value to show where there is no default. */
  readonly example?: Plain;
}

export const options = {
  'watch.directory': {
    type: path,
    default: './training-output',
    doc: 'The folder that trainers write their sessions into',
  },
  'watch.sessions': {
    type: autoOr(checkedText('a glob relative to the folder such as runs/*/*/', checkGlob)),
    default: 'auto',
    doc: 'Where sessions start below the folder: recognised by their files, or every directory that a glob matches (*/*/ for Hydra)',
  },
  'watch.polling': {
    type: autoOrBoolean(),
    default: 'auto',
    doc: 'Compare the folder at intervals in place of kernel events; auto does so on network file systems',
  },
  'watch.settle': {
    type: autoOr(duration('10ms', '1h', '2s')),
    default: 'auto',
    doc: 'How long a file must rest before it is read; auto is 2s, on network file systems 2m',
  },
  'watch.rescan': {
    type: autoOr(duration('100ms', '24h', '1m')),
    default: 'auto',
    doc: 'How often the whole folder is compared with what is known; auto is 1m, on network file systems 10m',
  },
  'watch.idle': {
    type: duration('100ms', '365d', '2h'),
    default: '2h',
    doc: 'Silence after which a session without other evidence counts as stalled',
  },
  'watch.ignoreOlderThan': {
    type: duration('1s', '36500d', '7d'),
    default: '7d',
    doc: 'At the first start on a folder, sessions without a change for this long are left to `trainlogd backfill`',
  },
  'companions.include': {
    type: globs,
    default: ['**'],
    doc: 'Files of a session that are shipped beside its log; globs are relative to the session',
  },
  'companions.exclude': {
    type: excludes,
    default: defaultExcludes,
    doc: 'Files that are counted and left: weights, checkpoints, caches. +GLOB adds to this list, a plain list replaces it',
  },
  'companions.bytesMax': {
    type: size('1B', '5TiB', '10GiB'),
    default: '10GiB',
    doc: 'Larger files are named in the log and not shipped',
  },
  'sessionLog.bytesMax': {
    type: size('64KiB', '256MiB', '8MiB'),
    default: '8MiB',
    doc: 'The largest session log; what does not fit is thinned out, and the log says so',
  },
  'destination.url': {
    type: checkedText('s3://BUCKET or file:///ABSOLUTE/PATH', checkPath),
    computed: 's3://$S3_BUCKET_NAME',
    example: 's3://your-company-training-logs',
    doc: 'Where sessions go: a bucket, or a local directory with the same keys',
  },
  'destination.region': {
    type: text('a region such as eu-central-1', /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/),
    computed: '$AWS_REGION, else $AWS_DEFAULT_REGION, else us-east-1',
    example: 'eu-central-1',
    doc: "The bucket's region",
  },
  'destination.endpoint': {
    type: checkedText('an http:// or https:// URL without user and query', checkEndpoint),
    computed: '$AWS_ENDPOINT_URL_S3, else $AWS_ENDPOINT_URL, else AWS itself',
    example: 'https://s3.example.com',
    doc: 'An S3 server other than AWS',
  },
  'destination.pathStyle': {
    type: autoOrBoolean(),
    default: 'auto',
    doc: 'The bucket in the path and not in the host name; auto does so with an endpoint of your own',
  },
  'destination.keyTemplate': {
    type: checkedText(
      'a relative key under 512 bytes with {session-id}, and {year} and {month} if wanted',
      checkKeyTemplate,
    ),
    default: 'training-logs/{year}/{month}/{session-id}.log',
    doc: 'The key of a session log; year and month are those of its start in UTC',
  },
  'destination.storageClass': {
    type: text('a storage class that can be read at once such as STANDARD_IA', /^[A-Z][A-Z0-9_]{0,63}$/),
    computed: "the bucket's own",
    example: 'STANDARD_IA',
    doc: 'The storage class of new objects',
  },
  'destination.encryption': {
    type: oneOf('none', 'AES256', 'aws:kms'),
    default: 'none',
    doc: "Encryption asked for with each object; none leaves it to the bucket's own setting",
  },
  'destination.kmsKeyId': {
    type: text('a KMS key id, alias or ARN', /^[A-Za-z0-9:/_-]{1,2048}$/),
    example: 'alias/training-logs',
    computed: "the account's own key",
    doc: 'The key for aws:kms; the policy must then allow kms:GenerateDataKey and kms:Decrypt',
  },
  'destination.tags': {
    type: tags,
    default: {},
    doc: 'Tags of new objects, such as team: vision; the policy must then allow s3:PutObjectTagging',
  },
  'upload.concurrency': {
    type: integer(1, 64),
    default: 4,
    doc: 'Objects on their way at once',
  },
  'upload.partSize': {
    type: size('5MiB', '5GiB', '8MiB'),
    default: '8MiB',
    doc: 'Files above this go up in parts of this size',
  },
  'upload.partConcurrency': {
    type: integer(1, 64),
    default: 4,
    doc: 'Parts of one object on their way at once; memory is concurrency x partConcurrency x partSize',
  },
  'retry.baseDelay': {
    type: duration('10ms', '1h', '1s'),
    default: '1s',
    doc: 'The pause after a first transient failure; it doubles from there. Retries never end',
  },
  'retry.maxDelay': {
    type: duration('10ms', '24h', '5m'),
    default: '5m',
    doc: 'The longest pause between two attempts',
  },
  'state.directory': {
    type: path,
    computed:
      '$STATE_DIRECTORY, /var/lib/trainlogd as root, else trainlogd/HOST/HASH-OF-FOLDER under $XDG_STATE_HOME or ~/.local/state',
    example: '/var/lib/trainlogd',
    doc: 'Where the journal is kept: on a local disk, outside the watched folder',
  },
  'retention.localFiles': {
    type: oneOf('keep', 'delete'),
    default: 'keep',
    doc: 'Whether shipped and verified files stay on the local disk',
  },
  'retention.keepFor': {
    type: duration('0s', '3650d', '7d'),
    default: '7d',
    doc: 'How long a file stays after its receipt, with localFiles: delete',
  },
  'drain.timeout': {
    type: duration('100ms', '24h', '25s'),
    default: '25s',
    doc: 'How long a stop may take to ship what is there',
  },
  'defaults.user': { type: name, example: 'ada', doc: 'User name of sessions that name none' },
  'defaults.pod': {
    type: pod,
    example: { provider: 'aws', gpuType: 'H100', gpuCount: 8 },
    doc: 'Pod fields of sessions that do not tell them: id, provider, gpuType, gpuCount',
  },
  'defaults.costPerHour': {
    type: number(0, 1_000_000),
    example: 12.5,
    doc: 'Cost of an hour of the whole pod where a session does not tell it',
  },
  'defaults.currency': {
    type: text('three capital letters such as USD', /^[A-Z]{3}$/),
    example: 'USD',
    doc: 'Currency of costs where a session does not tell it',
  },
  'log.level': {
    type: oneOf('error', 'warn', 'info', 'debug'),
    default: 'info',
    doc: 'The least important line shown',
  },
  'log.format': {
    type: oneOf('auto', 'text', 'json'),
    default: 'auto',
    doc: 'How lines are written; auto is text on a terminal and JSON elsewhere',
  },
} satisfies Record<string, Option<unknown>>;

export type OptionKey = keyof typeof options;
type ValueOf<O> = O extends { type: ValueType<infer T>; default: Plain }
  ? T
  : O extends { type: ValueType<infer T> }
    ? T | undefined
    : never;
/** What the options mean once read, by key: units as in their types, unset ones undefined. */
export type Values = { readonly [Key in OptionKey]: ValueOf<(typeof options)[Key]> };

export const optionKeys = Object.keys(options).filter(isOptionKey);

export function isOptionKey(key: string): key is OptionKey {
  return Object.hasOwn(options, key);
}

/** The declaration without the type of its value, for code that treats all options alike. */
export function optionOf(key: OptionKey): Option<unknown> {
  return options[key];
}

/** `destination.pathStyle` is `TRAINLOGD_DESTINATION_PATH_STYLE`. */
export function variableOf(key: OptionKey): string {
  return `TRAINLOGD_${key
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toUpperCase()}`;
}
