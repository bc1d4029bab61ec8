import type { S3Destination } from '../config/config.ts';
import type { Failure } from '../domain/failure.ts';
import type { Answers } from './answers.ts';
import type { Code, Room } from './codes.ts';
import { type Diagnosis, found } from './finding.ts';
import type { Patient } from './patient.ts';

interface Context {
  readonly visit: Patient;
  readonly destination: S3Destination;
  readonly answers: Answers;
  readonly failure: Failure;
}

interface Row {
  readonly codes: RegExp;
  readonly room: Room;
  readonly code: Code;
  readonly level?: 'warning';
  readonly said: (context: Context) => string;
  /** In place of the failure's own. */
  readonly remedy?: (context: Context) => string | undefined;
}

const named = ({ destination }: Context) => `s3://${destination.bucket}`;
const at = ({ destination: { endpoint, region } }: Context) => endpoint ?? `AWS in ${region}`;

const credentialRows: readonly Row[] = [
  {
    codes: /^NoCredentials$/,
    room: 'credentials',
    code: 'credentials.missing',
    said: () => 'no credentials are set up here',
  },
  {
    codes: /^(SignatureDoesNotMatch|InvalidSignatureException|IncompleteSignature)$/,
    room: 'credentials',
    code: 'credentials.secretWrong',
    said: () => 'the access key is known, and the secret does not belong to it',
  },
  {
    codes: /^(InvalidAccessKeyId|InvalidClientTokenId|UnrecognizedClientException|AuthFailure)$/,
    room: 'credentials',
    code: 'credentials.keyUnknown',
    said: (context) => `the access key is not known at ${at(context)}`,
  },
  {
    codes: /^(ExpiredToken|ExpiredTokenException|TokenRefreshRequired)$/,
    room: 'credentials',
    code: 'credentials.expired',
    said: () => 'the credentials have expired',
  },
  {
    codes: /^InvalidToken$/,
    room: 'credentials',
    code: 'credentials.tokenInvalid',
    said: () => 'the session token is none, or of another access key',
    remedy: () =>
      'take AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN from one and the same answer; a lasting key (AKIA…) has no token: unset it',
  },
  {
    codes:
      /^(MissingSecurityHeader|MissingAuthenticationToken|InvalidSecurity|CredentialsNotSupported|AuthenticationFailed|HTTP 401)$/,
    room: 'credentials',
    code: 'credentials.refused',
    said: (context) => `${at(context)} does not take these credentials`,
  },
  {
    codes: /^(RequestTimeTooSkewed|RequestExpired|RequestInTheFuture)$/,
    room: 'clock',
    code: 'clock.refused',
    said: (context) => `${at(context)} refuses requests for the time of this host`,
  },
];

const networkRows: readonly Row[] = [
  {
    codes: /^(TimeoutError|ConnectTimeout|RequestTimeout|ETIMEDOUT)$/,
    room: 'network',
    code: 'network.silent',
    said: (context) => `${at(context)} takes connections and does not answer`,
    remedy: () =>
      'check that the server is well; that nothing on the way (firewall, proxy, wrong MTU) swallows what is sent',
  },
  {
    codes: /^(E[A-Z]{3,}|HPE_\w+|EAI_\w+|CERT_\w+|UNABLE_TO_\w+|ERR_(TLS|SSL|OSSL)_\w+|\w*SELF_SIGNED\w*)$/,
    room: 'network',
    code: 'network.broken',
    said: (context) => `the connection with ${at(context)} breaks`,
  },
];

const bucketRows: readonly Row[] = [
  {
    codes: /^(NoSuchBucket|InvalidBucketName)$/,
    room: 'bucket',
    code: 'bucket.missing',
    said: (context) => `${at(context)} has no bucket ${JSON.stringify(context.destination.bucket)}`,
    remedy: () =>
      'check S3_BUCKET_NAME (destination.url) letter by letter, its case included, and that endpoint and account are the right ones; if it was never made: trainlogd bucket plan',
  },
  {
    codes:
      /Redirect$|^(AuthorizationHeaderMalformed|IllegalLocationConstraintException|InvalidRegion|HTTP 30[178])$/,
    room: 'bucket',
    code: 'bucket.region',
    said: (context) =>
      `${named(context)} is not in ${context.destination.region}${context.answers.region === undefined ? '' : `, but in ${context.answers.region}`}`,
  },
  {
    codes: /^(UnreadableAnswer|HTTP 30[23]|HTTP 40[0345]|NotFound|SyntaxError|HTTP 501)$/,
    room: 'bucket',
    code: 'bucket.notS3',
    said: (context) => `what answers at ${at(context)} is no S3 server`,
    remedy: () =>
      'check AWS_ENDPOINT_URL_S3 (destination.endpoint): host, port and path of the S3 API itself, not of its web console; or a proxy or login page on the way answers in its place',
  },
  {
    codes:
      /^(AllAccessDisabled|AccountProblem|NotSignedUp|OptInRequired|InvalidPayer|NotEntitled|UserSuspended|UserProject\w+|HTTP 402|QuotaExceeded|\w*Storage(Full|QuotaExceeded|ResourceInsufficient)|XMinioAdminBucketQuotaExceeded|InsufficientStorage|HTTP 507)$/,
    room: 'bucket',
    code: 'bucket.account',
    said: (context) => `${at(context)} does not serve this account now`,
  },
];

const busy: Row = {
  codes: /./,
  room: 'bucket',
  code: 'bucket.busy',
  level: 'warning',
  said: (context) => `${at(context)} is busy, and asks for fewer requests`,
  remedy: () => 'nothing now: trainlogd goes on with fewer requests at once; ask who runs it if it stays so',
};

const unknown: Row = {
  codes: /./,
  room: 'bucket',
  code: 'bucket.error',
  said: (context) => `${named(context)} cannot be listed`,
  remedy: ({ failure }) =>
    failure.remedy ?? 'look for this code in the documents of the server; trainlogd goes on trying',
};

const sourceFailed: Row = {
  codes: /./,
  room: 'credentials',
  code: 'credentials.source',
  said: () => 'the place that credentials are set up at gives none',
};

const rows = [...credentialRows, ...networkRows, ...bucketRows];

/** A failure that concerns every request, told in the room that it belongs to. */
export function diagnose(
  failure: Failure,
  visit: Patient,
  destination: S3Destination,
  answers: Answers,
): Partial<Record<Room, Diagnosis>> {
  const context = { visit, destination, answers, failure };
  const row = rowOf(failure, answers);
  const remedy = row.remedy?.(context) ?? failure.remedy;
  const evidence = [failure.message, ...answerSaid(row, answers)].join('; ');
  return { [row.room]: found(row.level ?? 'critical', row.code, row.said(context), { evidence, remedy }) };
}

function rowOf({ code, message, throttled }: Failure, answers: Answers): Row {
  // Its code is that of a file, a process or another service, and nothing was asked of the bucket.
  const isOfSource = message.startsWith('getting credentials') && answers.status === undefined;
  if (isOfSource && code !== 'NoCredentials') return sourceFailed;
  return rows.find(({ codes }) => codes.test(code)) ?? (throttled ? busy : unknown);
}

/** Who answers tells what it is. */
function answerSaid({ code }: Row, { server, contentType, status }: Answers): string[] {
  if (code !== 'bucket.notS3') return [];
  const told = [
    ...(server ? [`it calls itself ${JSON.stringify(server)}`] : []),
    ...(contentType ? [`answers with ${JSON.stringify(contentType)}`] : []),
    ...(status === undefined ? [] : [`HTTP ${status}`]),
  ];
  return told.length === 0 ? [] : [told.join(', ')];
}
