import { PutBucketPolicyCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { makeBucket, policyOf, type TestBucket } from '../support/s3-bucket.ts';
import { isList, listAnswer, type ScriptedAnswer, type ScriptedRequest } from '../support/scripted-s3.ts';
import { blocked, type Env, scripted, type WrongWay } from './wrong-way.ts';

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

/** What we may. */
export const wrongRights: readonly WrongWay[] = [
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
