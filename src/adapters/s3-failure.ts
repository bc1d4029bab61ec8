import { Failure, type FailureKind } from '../domain/failure.ts';
import { readError, withoutDetails } from './s3-error.ts';

interface Row {
  readonly codes: readonly string[];
  readonly kind: FailureKind;
  readonly remedy?: string;
}

const network = 'check the network, DNS, proxy and firewall of this host';

/** The one place that knows what S3, its SDK and the network answer. First the codes, then the HTTP status. */
const rows: readonly Row[] = [
  {
    codes: ['SignatureDoesNotMatch'],
    kind: 'blocked',
    remedy:
      'check AWS_SECRET_ACCESS_KEY: it does not belong to this access key, or quotes or spaces surround it',
  },
  {
    codes: ['InvalidAccessKeyId', 'InvalidClientTokenId', 'UnrecognizedClientException'],
    kind: 'blocked',
    remedy: 'check AWS_ACCESS_KEY_ID: the server knows no such key, or it was deleted',
  },
  {
    codes: ['ExpiredToken', 'ExpiredTokenException', 'InvalidToken', 'TokenRefreshRequired'],
    kind: 'blocked',
    remedy: 'get new temporary credentials, AWS_SESSION_TOKEN included',
  },
  {
    codes: ['CredentialsProviderError', 'ProviderError', 'TokenProviderError'],
    kind: 'blocked',
    remedy:
      'give credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role of this host or pod',
  },
  {
    codes: ['RequestTimeTooSkewed', 'RequestExpired'],
    kind: 'blocked',
    remedy: 'set the clock of this host, best by NTP: it differs from the server by more than 15 minutes',
  },
  {
    codes: ['AccessDenied', 'AllAccessDisabled', 'AccountProblem', 'NotSignedUp', 'HTTP 401', 'HTTP 403'],
    kind: 'blocked',
    remedy:
      "check the policy: s3:PutObject and s3:GetObject on the key's prefix (Resource), s3:ListBucket with that prefix (Condition)",
  },
  {
    codes: ['NoSuchBucket', 'InvalidBucketName'],
    kind: 'blocked',
    remedy: "check the bucket's name, its case included, and that the endpoint is the right one",
  },
  {
    codes: [
      'PermanentRedirect',
      'TemporaryRedirect',
      'AuthorizationHeaderMalformed',
      'IllegalLocationConstraintException',
      'HTTP 301',
      'HTTP 307',
    ],
    kind: 'blocked',
    remedy: 'set AWS_REGION to the region that the bucket is in',
  },
  { codes: ['ECONNREFUSED'], kind: 'blocked', remedy: `check that the endpoint is right and up; ${network}` },
  {
    codes: ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL'],
    kind: 'blocked',
    remedy: `check the endpoint's name; ${network}`,
  },
  {
    codes: ['ETIMEDOUT', 'ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL', 'ConnectTimeout'],
    kind: 'blocked',
    remedy: network,
  },
  {
    codes: [
      'CERT_HAS_EXPIRED',
      'CERT_NOT_YET_VALID',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'ERR_SSL_WRONG_VERSION_NUMBER',
      'EPROTO',
    ],
    kind: 'blocked',
    remedy:
      "check the endpoint's certificate and name; name the CA of a private one in NODE_EXTRA_CA_CERTS; http:// or https:// must fit",
  },
  {
    codes: ['EntityTooLarge', 'KeyTooLongError', 'MaxMessageLengthExceeded', 'MetadataTooLarge', 'HTTP 413'],
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
    codes: ['InvalidObjectState'],
    kind: 'permanent',
    remedy: 'the object is archived: restore it before it can be read',
  },
  {
    codes: ['InvalidArgument', 'InvalidRequest', 'MalformedXML', 'MethodNotAllowed', 'HTTP 405'],
    kind: 'permanent',
    remedy: 'the server refuses the request itself: compare the destination settings with what it supports',
  },
  {
    codes: ['NotImplemented', 'HTTP 501'],
    kind: 'permanent',
    remedy: 'the server does not support something that the destination settings ask for: remove it',
  },
  {
    codes: [
      'SlowDown',
      'Throttling',
      'ThrottlingException',
      'TooManyRequests',
      'RequestLimitExceeded',
      'BandwidthLimitExceeded',
      'InternalError',
      'ServiceUnavailable',
      'Busy',
      'RequestTimeout',
      'TimeoutError',
      'ECONNRESET',
      'ECONNABORTED',
      'EPIPE',
      'NoSuchUpload',
      'NoSuchKey',
      'NotFound',
      'InvalidPart',
      'IncompleteBody',
      'BadDigest',
      'InvalidDigest',
      'XAmzContentSHA256Mismatch',
      'XAmzContentChecksumMismatch',
      'OperationAborted',
      'ConditionalRequestConflict',
      // Without a body (HEAD) even an expired token is no more than this; a request with a body will say.
      'HTTP 400',
      'HTTP 404',
      'HTTP 408',
      'HTTP 409',
      'HTTP 425',
      'HTTP 429',
    ],
    kind: 'transient',
  },
];

const rowOf = new Map(rows.flatMap((row) => row.codes.map((code) => [code, row] as const)));

/**
 * An error of the SDK or the network as one of the four kinds. Unknown ones are transient: retrying loses nothing.
 * `doing` is the attempt with its object quoted: `writing "a/b" to s3://bucket`.
 */
export function toFailure(error: unknown, doing: string, signal: AbortSignal): Failure {
  if (error instanceof Failure && (signal.aborted || error.kind !== 'cancelled')) return error;
  if (signal.aborted)
    return new Failure({ kind: 'cancelled', code: 'AbortError', attempted: `${doing}: cancelled` });
  const { codes, status, message, retryAfterMs } = readError(error);
  const known = codes.find((code) => rowOf.has(code));
  const row = known === undefined ? undefined : rowOf.get(known);
  // A code that is not in the table is still the one to search for; the status only gave the kind.
  const code = (known?.startsWith('HTTP ') ? undefined : known) ?? codes[0] ?? 'Unknown';
  const answered = status === undefined || code === `HTTP ${status}` ? '' : ` (HTTP ${status})`;
  return new Failure({
    kind: row?.kind ?? 'transient',
    code,
    attempted: `${doing}: ${code}${answered}${message === '' || message === code ? '' : `, ${message}`}`,
    ...(row?.remedy === undefined ? {} : { remedy: row.remedy }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    cause: withoutDetails(error),
  });
}
