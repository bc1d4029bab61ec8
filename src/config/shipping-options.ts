import type { Option } from './option.ts';
import { tags } from './option-types.ts';
import { checkEndpoint, checkKeyTemplate, checkPath } from './text-checks.ts';
import { autoOrBoolean, checkedText, duration, integer, oneOf, size, text } from './value-types.ts';

/** Where it goes, and how. */
export const shippingOptions = {
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
  'destination.checksums': {
    type: oneOf('auto', 'crc32', 'md5'),
    default: 'auto',
    doc: 'What proves that bytes arrived as read: CRC-32 of whole objects, or Content-MD5 and ETag; auto asks the server once',
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
    doc: 'Parts of one object on their way at once, as far as upload.memoryMax allows',
  },
  'upload.memoryMax': {
    type: size('5MiB', '64GiB', '48MiB'),
    default: '48MiB',
    doc: 'Memory for all bytes on their way; parts that do not fit are streamed from the file',
  },
  'upload.bandwidthMax': {
    type: size('1KiB', '1TiB', '100MiB'),
    example: '50MiB',
    computed: 'no limit',
    doc: 'Bytes per second of all uploads together',
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
} satisfies Record<string, Option<unknown>>;
