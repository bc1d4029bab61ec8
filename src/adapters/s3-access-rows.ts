import type { FailureRow } from './s3-request-rows.ts';

const network = 'check the network, DNS, proxy and firewall of this host';

/** Who we are. A refusal of these kinds makes the credentials be looked up again. */
const credentialRows: readonly FailureRow[] = [
  {
    codes: ['SignatureDoesNotMatch', 'InvalidSignatureException', 'IncompleteSignature'],
    kind: 'blocked',
    denied: true,
    remedy:
      'check AWS_SECRET_ACCESS_KEY: it does not belong to this access key, or quotes or spaces surround it',
  },
  {
    codes: ['InvalidAccessKeyId', 'InvalidClientTokenId', 'UnrecognizedClientException', 'AuthFailure'],
    kind: 'blocked',
    denied: true,
    remedy: 'check AWS_ACCESS_KEY_ID: the server knows no such key, or it was deleted or deactivated',
  },
  {
    codes: ['ExpiredToken', 'ExpiredTokenException', 'InvalidToken', 'TokenRefreshRequired'],
    kind: 'blocked',
    denied: true,
    remedy: 'get new temporary credentials, AWS_SESSION_TOKEN included',
  },
  {
    codes: [
      'MissingSecurityHeader',
      'MissingAuthenticationToken',
      'InvalidSecurity',
      'CredentialsNotSupported',
      'AuthenticationFailed',
      'HTTP 401',
    ],
    kind: 'blocked',
    denied: true,
    remedy:
      'check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and that no proxy takes the Authorization header away',
  },
];

export const refusedCredentials: ReadonlySet<string> = new Set(credentialRows.flatMap(({ codes }) => codes));

/** Whose clock is wrong. A refusal of these kinds makes the server's time be taken. */
export const refusedTime: ReadonlySet<string> = new Set([
  'RequestTimeTooSkewed',
  'RequestExpired',
  'RequestInTheFuture',
]);

const rightRows: readonly FailureRow[] = [
  {
    codes: ['CredentialsProviderError', 'ProviderError', 'TokenProviderError'],
    kind: 'blocked',
    denied: true,
    remedy:
      'give credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role of this host or pod',
  },
  {
    codes: ['ERR_SYSTEM_ERROR'],
    kind: 'blocked',
    remedy: 'set HOME: the user that this process runs as has no home directory',
  },
  {
    codes: [...refusedTime],
    kind: 'blocked',
    remedy: 'set the clock of this host, best by NTP: it differs from the server by more than 15 minutes',
  },
  {
    codes: ['AccessDenied', 'AccessForbidden', 'UnauthorizedAccess', 'HTTP 403'],
    kind: 'blocked',
    denied: true,
    remedy:
      "check the policy: s3:PutObject and s3:GetObject on the key's prefix (Resource), s3:ListBucket with that prefix (Condition)",
  },
  {
    codes: [
      'AllAccessDisabled',
      'AccountProblem',
      'NotSignedUp',
      'OptInRequired',
      'InvalidPayer',
      'NotEntitled',
      'UserSuspended',
      'UserProjectAccountProblem',
      'UserProjectMissing',
      'HTTP 402',
    ],
    kind: 'blocked',
    remedy: 'ask who runs the storage: the account is suspended, unpaid, or not enabled for it',
  },
  {
    codes: [
      'QuotaExceeded',
      'XMinioAdminBucketQuotaExceeded',
      'XMinioStorageFull',
      'XMinioStorageResourceInsufficient',
      'StorageQuotaExceeded',
      'InsufficientStorage',
      'HTTP 507',
    ],
    kind: 'blocked',
    remedy: 'make room at the destination, or raise its quota: it takes no more bytes',
  },
];

const placeRows: readonly FailureRow[] = [
  {
    codes: ['NoSuchBucket', 'InvalidBucketName'],
    kind: 'blocked',
    remedy: "check the bucket's name, its case included, its region, and that the endpoint is the right one",
  },
  {
    codes: [
      'PermanentRedirect',
      'TemporaryRedirect',
      'Redirect',
      'AuthorizationHeaderMalformed',
      'IllegalLocationConstraintException',
      'InvalidRegion',
      'HTTP 301',
      'HTTP 307',
      'HTTP 308',
    ],
    kind: 'blocked',
    remedy: 'set AWS_REGION to the region that the bucket is in',
  },
  {
    codes: ['HTTP 302', 'HTTP 303', 'UnreadableAnswer'],
    kind: 'blocked',
    remedy: 'check the endpoint: what answers there is no S3 server',
  },
  { codes: ['HTTP 407'], kind: 'blocked', remedy: 'give the proxy of this host its user and password' },
  { codes: ['ECONNREFUSED'], kind: 'blocked', remedy: `check that the endpoint is right and up; ${network}` },
  {
    codes: ['ENOTFOUND', 'EAI_*'],
    kind: 'blocked',
    remedy: `check the endpoint's name; ${network}`,
  },
  {
    codes: [
      'ETIMEDOUT',
      'ENETUNREACH',
      'EHOSTUNREACH',
      'EHOSTDOWN',
      'ENETDOWN',
      'EADDRNOTAVAIL',
      'ConnectTimeout',
    ],
    kind: 'blocked',
    remedy: network,
  },
  {
    codes: [
      'CERT_*',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_*',
      'HOSTNAME_MISMATCH',
      'INVALID_CA',
      'ERR_TLS_*',
      'ERR_SSL_*',
      'ERR_OSSL_*',
      'EPROTO',
      'HPE_*',
    ],
    kind: 'blocked',
    remedy:
      "check the endpoint's certificate and name; name the CA of a private one in NODE_EXTRA_CA_CERTS; http:// or https:// must fit",
  },
];

/** What keeps every request from being served: who we are, what we may, where we look. */
export const accessRows: readonly FailureRow[] = [...credentialRows, ...rightRows, ...placeRows];
