import { PutBucketPolicyCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { Code } from '../../src/doctor/codes.ts';
import type { EventName } from '../../src/ports/events.ts';
import { blackHole } from '../support/black-hole.ts';
import { freePort } from '../support/free-port.ts';
import { makeBucket, policyOf, type TestBucket } from '../support/s3-bucket.ts';
import {
  errorAnswer,
  isList,
  listAnswer,
  type ScriptedAnswer,
  type ScriptedRequest,
  scriptedS3,
} from '../support/scripted-s3.ts';
import { tlsServer } from '../support/tls-server.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** One way of being wrong, and what everything that speaks of it must say. */
export interface WrongWay {
  readonly name: string;
  /** What is different from a configuration that works. */
  readonly make: () => Promise<Env>;
  readonly doctor: { readonly code: Code; readonly cause: RegExp; readonly remedy: RegExp };
  /** What the agent's report says where it does not look as far as the doctor. */
  readonly report?: { readonly code: string; readonly cause: RegExp; readonly remedy: RegExp };
  /** The agent's own line; none where it takes a minute to come. */
  readonly log?: {
    readonly event?: EventName;
    readonly code?: string;
    readonly remedy: RegExp;
  };
  /** How the host's clock differs from the true time. */
  readonly clockMs?: number;
  readonly write?: true;
  /** How long the doctor waits for what never comes. */
  readonly waitMs?: number;
}

export const secrets = {
  wrong: 'wrong-secret-which-nobody-may-read-0000001',
  token: 'FwoGZXIvYXdzEBYaDEXAMPLEsessiontokenwhichnobodymayread',
  amazon: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

const temporary = {
  AWS_ACCESS_KEY_ID: 'ASIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: secrets.amazon,
  AWS_SESSION_TOKEN: secrets.token,
};

const blocked = (code: string, remedy: RegExp) => ({ code, remedy });

/** The report asks no more than for a list; what else is denied it has from the agent. */
const fromAgent = (remedy: RegExp) => ({ code: 'agent.blocked', cause: /AccessDenied|HTTP 403/, remedy });

/** The guide's policy with changes, on a bucket that has one object to read. */
async function underPolicy(change: (policy: string) => string): Promise<Env> {
  const { bucket, owner } = await makeBucket();
  await put({ bucket, owner });
  await owner.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: change(policyOf(bucket)) }));
  return { S3_BUCKET_NAME: bucket };
}

async function put({ bucket, owner }: Pick<TestBucket, 'bucket' | 'owner'>): Promise<void> {
  const Key = 'training-logs/2024/03/one.log';
  await owner.send(new PutObjectCommand({ Bucket: bucket, Key, Body: '{}\n' }));
}

const scripted = async (answer: (request: ScriptedRequest) => ScriptedAnswer): Promise<Env> => ({
  AWS_ENDPOINT_URL_S3: (await scriptedS3(answer)).endpoint,
});

const denied = (action: string) => ({
  status: 403,
  body: `<Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::123456789012:user/logs is not authorized to perform: ${action} on resource: "arn:aws:kms:us-east-1:123456789012:key/1" because no identity-based policy allows it</Message></Error>`,
});

/** Takes whatever is read; refuses what is written. */
const refusingWrites =
  (answer: ScriptedAnswer) =>
  (request: ScriptedRequest): ScriptedAnswer => {
    if (isList(request)) return listAnswer();
    return request.method === 'GET' || request.method === 'HEAD' ? { status: 404 } : answer;
  };

const html = '<!doctype html><html><body>Sign in to the guest network</body></html>';

export const wrongWays: readonly WrongWay[] = [
  {
    name: 'a secret that is not that of the key',
    make: async () => ({ AWS_SECRET_ACCESS_KEY: secrets.wrong }),
    doctor: {
      code: 'credentials.secretWrong',
      cause: /secret does not belong/,
      remedy: /AWS_SECRET_ACCESS_KEY/,
    },
    log: blocked('SignatureDoesNotMatch', /AWS_SECRET_ACCESS_KEY: it does not belong/),
  },
  {
    name: 'a key that nobody knows',
    make: async () => ({ AWS_ACCESS_KEY_ID: 'NOBODYKNOWSTHISKEY01' }),
    doctor: { code: 'credentials.keyUnknown', cause: /key is not known/, remedy: /AWS_ACCESS_KEY_ID/ },
    log: blocked('InvalidAccessKeyId', /AWS_ACCESS_KEY_ID: the server knows no such key/),
  },
  {
    name: 'no credentials at all',
    make: async () => ({
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_EC2_METADATA_DISABLED: 'true',
    }),
    doctor: {
      code: 'credentials.missing',
      cause: /no credentials are set up/,
      remedy: /AWS_ACCESS_KEY_ID and/,
    },
    log: blocked('NoCredentials', /give credentials: AWS_ACCESS_KEY_ID/),
  },
  {
    name: 'a token that has expired',
    make: async () => ({ ...temporary, ...(await scripted(() => errorAnswer(400, 'ExpiredToken'))) }),
    doctor: { code: 'credentials.expired', cause: /have expired/, remedy: /new temporary credentials/ },
    log: blocked('ExpiredToken', /new temporary credentials, AWS_SESSION_TOKEN included/),
  },
  {
    name: 'a temporary key without its token',
    make: async () => ({
      ...temporary,
      AWS_SESSION_TOKEN: undefined,
      ...(await scripted(() => errorAnswer(403, 'InvalidAccessKeyId'))),
    }),
    doctor: {
      code: 'credentials.tokenMissing',
      cause: /temporary one \(ASIA…\)/,
      remedy: /set AWS_SESSION_TOKEN/,
    },
    log: { event: 'config.warning', remedy: /temporary access key without AWS_SESSION_TOKEN/ },
  },
  {
    name: 'a clock that is an hour behind',
    make: async () => ({}),
    clockMs: -3_600_000,
    doctor: { code: 'clock.offset', cause: /60 minutes behind/, remedy: /NTP/ },
    log: { event: 'clock.skewed', remedy: /NTP/ },
  },
  {
    name: 'a server that takes no time of ours',
    make: () => scripted(() => errorAnswer(403, 'RequestTimeTooSkewed')),
    doctor: { code: 'clock.refused', cause: /time of this host/, remedy: /set the clock of this host/ },
    log: blocked('RequestTimeTooSkewed', /set the clock of this host, best by NTP/),
  },
  {
    name: 'a bucket that is not there',
    make: async () => ({ S3_BUCKET_NAME: 'no-such-bucket-anywhere' }),
    doctor: {
      code: 'bucket.missing',
      cause: /no bucket "no-such-bucket-anywhere"/,
      remedy: /S3_BUCKET_NAME.*case/,
    },
    log: blocked('NoSuchBucket', /bucket's name, its case included/),
  },
  {
    name: 'a bucket in the wrong case',
    make: async () => ({ S3_BUCKET_NAME: (await makeBucket()).bucket.toUpperCase() }),
    doctor: {
      code: 'bucket.case',
      cause: /no bucket "TEST-.*one called "test-/,
      remedy: /S3_BUCKET_NAME=test-/,
    },
    log: blocked('NoSuchBucket', /its case included/),
  },
  {
    name: 'a region that the bucket is not in, told by a refusal',
    make: () =>
      scripted(() => errorAnswer(400, 'AuthorizationHeaderMalformed', '<Region>eu-central-1</Region>')),
    doctor: { code: 'bucket.region', cause: /but in eu-central-1/, remedy: /AWS_REGION=eu-central-1/ },
    log: blocked('AuthorizationHeaderMalformed', /set AWS_REGION/),
  },
  {
    name: 'a region that the bucket is not in, told by a redirect',
    make: () =>
      scripted(() => errorAnswer(301, 'PermanentRedirect', '', { 'x-amz-bucket-region': 'ap-south-1' })),
    doctor: { code: 'bucket.region', cause: /but in ap-south-1/, remedy: /AWS_REGION=ap-south-1/ },
    log: blocked('PermanentRedirect', /set AWS_REGION=ap-south-1/),
  },
  ...[200, 403, 404].map(
    (status): WrongWay => ({
      name: `a page of a web server, ${status}`,
      make: () =>
        scripted(() => ({ status, headers: { 'content-type': 'text/html', server: 'portal' }, body: html })),
      doctor: { code: 'bucket.notS3', cause: /no S3 server[\s\S]*"portal"/, remedy: /AWS_ENDPOINT_URL_S3/ },
      log: blocked('UnreadableAnswer', /check the endpoint: what answers there is no S3 server/),
    }),
  ),
  {
    name: 'nobody listens',
    make: async () => ({ AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${await freePort()}` }),
    doctor: {
      code: 'network.refused',
      cause: /nothing listens at/,
      remedy: /endpoint and its port are right/,
    },
    log: blocked('ECONNREFUSED', /check that the endpoint is right and up/),
  },
  {
    name: 'packets are lost',
    make: async () => ({ AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${await blackHole()}` }),
    waitMs: 1_000,
    doctor: { code: 'network.timeout', cause: /packets to it are lost/, remedy: /firewall/ },
  },
  {
    name: 'a server that never answers',
    make: () => scripted(() => 'hang'),
    waitMs: 1_000,
    doctor: {
      code: 'network.silent',
      cause: /takes connections and does not answer/,
      remedy: /firewall, proxy/,
    },
  },
  {
    name: 'a name that is not known',
    make: async () => ({ AWS_ENDPOINT_URL_S3: 'http://no-such-host.invalid' }),
    doctor: { code: 'network.name', cause: /"no-such-host.invalid" is not found/, remedy: /getent hosts/ },
    log: blocked('ENOTFOUND', /check the endpoint's name/),
  },
  {
    name: 'a certificate of a CA that is not known',
    make: async () => ({ AWS_ENDPOINT_URL_S3: `https://127.0.0.1:${await tlsServer()}` }),
    doctor: {
      code: 'network.unknownCa',
      cause: /CA of .* is not known here: "private.example"/,
      remedy: /NODE_EXTRA_CA_CERTS=/,
    },
    log: blocked('DEPTH_ZERO_SELF_SIGNED_CERT', /NODE_EXTRA_CA_CERTS/),
  },
  {
    name: 'https asked of an http port',
    make: async () => ({
      AWS_ENDPOINT_URL_S3: (await scripted(() => listAnswer()))['AWS_ENDPOINT_URL_S3']?.replace(
        'http',
        'https',
      ),
    }),
    doctor: {
      code: 'network.httpsToHttp',
      cause: /does not speak TLS, and https was asked/,
      remedy: /write http:\/\//,
    },
    log: { remedy: /http:\/\/ or https:\/\/ must fit/ },
  },
  {
    name: 'http asked of an https port',
    make: async () => ({ AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${await tlsServer()}` }),
    doctor: {
      code: 'network.httpToHttps',
      cause: /speaks https, and http was asked/,
      remedy: /write https:\/\//,
    },
    log: { event: 'upload.retry', remedy: /http:\/\/ or https:\/\/ as its port speaks/ },
  },
  {
    name: 'no right to list',
    make: () => underPolicy((policy) => policy.replace('"s3:ListBucket"', '"s3:ListBucketVersions"')),
    doctor: {
      code: 'permissions.list',
      cause: /s3:ListBucket is denied/,
      remedy: /"Action": ?"s3:ListBucket"[\s\S]*"s3:prefix": ?"training-logs\/\*"/,
    },
    log: blocked('AccessDenied', /s3:ListBucket with that prefix/),
  },
  {
    name: 'a right to list the very prefix alone',
    make: () =>
      underPolicy((policy) =>
        policy.replace(
          '"StringLike": { "s3:prefix": ["training-logs/*"] }',
          '"StringEquals": { "s3:prefix": ["training-logs/"] }',
        ),
      ),
    doctor: {
      code: 'permissions.prefix',
      cause: /allowed with the prefix "training-logs\/" and denied with "training-logs\/20/,
      remedy: /StringLike with an asterisk/,
    },
    report: fromAgent(/s3:ListBucket with that prefix/),
    log: blocked('AccessDenied', /s3:ListBucket with that prefix/),
  },
  {
    name: 'keys outside what the policy is for',
    make: async () => ({
      ...(await underPolicy((policy) => policy)),
      TRAINLOGD_DESTINATION_KEY_TEMPLATE: 'logs/{year}/{month}/{session-id}.log',
    }),
    doctor: {
      code: 'permissions.prefix',
      cause: /allowed with the prefix "training-logs\/" and denied with "logs\/"/,
      remedy: /begin keyTemplate with "training-logs\/"/,
    },
    log: blocked('AccessDenied', /s3:ListBucket with that prefix/),
  },
  {
    name: 'no right to read',
    make: () =>
      underPolicy((policy) =>
        policy.replace('"s3:PutObjectTagging", ', '"s3:GetObject", "s3:PutObjectTagging", '),
      ),
    doctor: {
      code: 'permissions.get',
      cause: /s3:GetObject is denied on "training-logs\/2024/,
      remedy: /"Action": "s3:GetObject"/,
    },
    report: fromAgent(/s3:PutObject and s3:GetObject/),
    log: { remedy: /s3:PutObject and s3:GetObject/ },
  },
  {
    name: 'no right to write',
    make: () => underPolicy((policy) => policy.replace('"s3:PutObject", "s3:GetObject"', '"s3:GetObject"')),
    write: true,
    doctor: {
      code: 'permissions.put',
      cause: /s3:PutObject is denied on "training-logs\/\.trainlogd-doctor/,
      remedy: /"Action": "s3:PutObject"/,
    },
    report: fromAgent(/s3:PutObject and s3:GetObject/),
    log: { code: 'AccessDenied', remedy: /s3:PutObject and s3:GetObject/ },
  },
  {
    name: 'no right to tag, and tags are set',
    make: async () => ({
      ...(await scripted((request) =>
        request.headers['x-amz-tagging'] === undefined && request.method === 'PUT'
          ? { status: 200, headers: { etag: '"1"' } }
          : refusingWrites(denied('s3:PutObjectTagging'))(request),
      )),
      TRAINLOGD_DESTINATION_TAGS: 'team=vision',
    }),
    write: true,
    doctor: {
      code: 'permissions.tagging',
      cause: /s3:PutObjectTagging is denied/,
      remedy: /remove destination\.tags[\s\S]*"Action": "s3:PutObjectTagging"/,
    },
    report: fromAgent(/s3:PutObjectTagging/),
    log: blocked('AccessDenied', /s3:PutObjectTagging .*or remove destination\.tags/),
  },
  {
    name: 'a key of KMS that may not be used',
    make: async () => ({
      ...(await scripted(refusingWrites(denied('kms:GenerateDataKey')))),
      TRAINLOGD_DESTINATION_ENCRYPTION: 'aws:kms',
    }),
    write: true,
    doctor: {
      code: 'permissions.kms',
      cause: /kms:GenerateDataKey is denied/,
      remedy: /key's policy[\s\S]*"kms:GenerateDataKey"/,
    },
    report: fromAgent(/kms:GenerateDataKey/),
    log: blocked('AccessDenied', /allow kms:GenerateDataKey on the KMS key/),
  },
];
