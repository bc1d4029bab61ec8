import type { FailureKind } from '../domain/failure.ts';

export interface FailureRow {
  /** Of S3, STS, the SDK or errno; `HTTP n` where nothing more is said. A `*` at the end stands for anything. */
  readonly codes: readonly string[];
  readonly kind: FailureKind;
  readonly remedy?: string;
  readonly throttled?: true;
  readonly denied?: true;
}

/** What servers, proxies and the SDK answer to a request that they understood, and what becomes of it on the way. */
const refusedRows: readonly FailureRow[] = [
  {
    codes: [
      'EntityTooLarge',
      'KeyTooLongError',
      'KeyTooLong',
      'MaxMessageLengthExceeded',
      'MetadataTooLarge',
      'XMinioInvalidObjectName',
      'HTTP 413',
      'HTTP 414',
      'HTTP 431',
    ],
    kind: 'permanent',
    remedy:
      'the server does not take an object this large or a key this long: exclude the file or shorten its path',
  },
  {
    codes: ['InvalidStorageClass'],
    kind: 'permanent',
    remedy: 'correct destination.storageClass: the server has no such class',
  },
  { codes: ['InvalidTag'], kind: 'permanent', remedy: 'correct destination.tags' },
  {
    codes: [
      'KMS.DisabledException',
      'KMS.NotFoundException',
      'KMS.KMSInvalidStateException',
      'KMS.InvalidStateException',
      'KMS.InvalidKeyUsageException',
      'KMSDisabled',
    ],
    kind: 'permanent',
    remedy: "check destination.kmsKeyId: enable the key, or name one of the bucket's region",
  },
  {
    codes: ['InvalidEncryptionAlgorithmError', 'InvalidEncryptionMethod'],
    kind: 'permanent',
    remedy: 'correct destination.encryption: the server does not encrypt like that',
  },
  {
    codes: ['InvalidObjectState'],
    kind: 'permanent',
    remedy: 'the object is archived: restore it before it can be read',
  },
  {
    codes: [
      'InvalidArgument',
      'InvalidRequest',
      'MalformedXML',
      'MethodNotAllowed',
      'MissingContentLength',
      'HTTP 405',
      'HTTP 411',
    ],
    kind: 'permanent',
    remedy: 'the server refuses the request itself: compare the destination settings with what it supports',
  },
  {
    codes: ['NotImplemented', 'HTTP 501'],
    kind: 'permanent',
    remedy: 'the server does not support something that the destination settings ask for: remove it',
  },
];

/** The destination has enough for now: fewer requests from all of us, not only this one later. */
const throttledRow: FailureRow = {
  codes: [
    'SlowDown',
    'SlowDownRead',
    'SlowDownWrite',
    'Throttling',
    'ThrottlingException',
    'ThrottledException',
    'RequestThrottled',
    'RequestThrottledException',
    'KMS.ThrottlingException',
    'TooManyRequests',
    'TooManyRequestsException',
    'RequestLimitExceeded',
    'RateLimitExceeded',
    'rateLimitExceeded',
    'userRateLimitExceeded',
    'BandwidthLimitExceeded',
    'LimitExceededException',
    'EC2ThrottledException',
    'ServiceUnavailable',
    'ServerBusy',
    'Busy',
    'XMinioServerNotInitialized',
    'HTTP 429',
    'HTTP 503',
    'HTTP 509',
    'HTTP 529',
  ],
  kind: 'transient',
  throttled: true,
};

const transientRow: FailureRow = {
  codes: [
    'InternalError',
    'InternalFailure',
    'NoSuchUpload',
    'NoSuchKey',
    'NotFound',
    'InvalidPart',
    'InvalidPartOrder',
    'EntityTooSmall',
    'IncompleteBody',
    'BadDigest',
    'InvalidDigest',
    'XAmzContentSHA256Mismatch',
    'XAmzContentChecksumMismatch',
    'OperationAborted',
    'ConditionalRequestConflict',
    'PreconditionFailed',
    // Without a body (HEAD) even an expired token is no more than this; a request with a body will say.
    'HTTP 400',
    'HTTP 404',
    'HTTP 408',
    'HTTP 409',
    'HTTP 412',
    'HTTP 425',
    'HTTP 500',
    'HTTP 502',
    'HTTP 504',
    // A proxy before the server that could not reach it.
    'HTTP 52*',
    'HTTP 530',
  ],
  kind: 'transient',
};

/** Once it means nothing; every time, that what is there is not what was asked for. */
const brokenRow: FailureRow = {
  codes: [
    'RequestTimeout',
    'TimeoutError',
    'ECONNRESET',
    'ECONNABORTED',
    'EPIPE',
    'ERR_STREAM_PREMATURE_CLOSE',
  ],
  kind: 'transient',
  remedy:
    'should it stay so: check that the server is well, that the endpoint begins with http:// or https:// as its port speaks, and firewall and proxy on the way; trainlogd doctor looks which it is',
};

const localRow: FailureRow = {
  codes: ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'],
  kind: 'transient',
  remedy: 'raise the limit of open files of this process (LimitNOFILE, ulimit -n)',
};

export const requestRows: readonly FailureRow[] = [
  ...refusedRows,
  throttledRow,
  transientRow,
  brokenRow,
  localRow,
];
