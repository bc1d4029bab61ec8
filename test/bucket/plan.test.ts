import { describe, expect, test } from 'vitest';
import type { BucketWish } from '../../src/bucket/desired-state.ts';
import { planBucket } from '../../src/bucket/plan.ts';
import type { BucketChange, BucketState, LogTarget } from '../../src/ports/bucket-admin.ts';
import { allBlocked, asWished, wish } from './wishes.ts';

const kms = (kmsKeyId?: string, bucketKey = true) => ({ algorithm: 'aws:kms', kmsKeyId, bucketKey });
const twice = { algorithm: 'aws:kms:dsse', kmsKeyId: 'a-key', bucketKey: false };
const [keyId, keyArn] = ['1234abcd', 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd'];
const withKms = { encryption: 'aws:kms' } as const;
const withKey = { encryption: 'aws:kms', kmsKeyId: keyId } as const;

interface Row {
  readonly is: string;
  readonly wished?: Partial<BucketWish>;
  readonly have: Partial<BucketState>;
  /** What is told of it: the states, in order, of the lines that are not as they shall be. */
  readonly told: readonly string[];
  readonly change?: BucketChange;
}

const access = (blocked: Partial<typeof allBlocked>) => ({
  publicAccess: { value: { ...allBlocked, ...blocked } },
});
const off = {
  blockPublicAcls: false,
  ignorePublicAcls: false,
  blockPublicPolicy: false,
  restrictPublicBuckets: false,
};

const rows: readonly Row[] = [
  { is: 'a bucket as it shall be', have: {}, told: [] },
  {
    is: 'no block of public access at all',
    have: { publicAccess: { value: undefined } },
    told: ['public access differs'],
    change: { setting: 'publicAccess', value: allBlocked },
  },
  {
    is: 'keys without a prefix of their own, so that rules would be for all that is there',
    wished: { keyTemplate: '{year}/{month}/{session-id}.log' },
    have: { lifecycle: { value: undefined } },
    told: ['lifecycle withheld'],
  },
  {
    is: 'one block that is missing',
    have: access({ blockPublicPolicy: false }),
    told: ['public access differs'],
    change: { setting: 'publicAccess', value: allBlocked },
  },
  {
    is: 'no block, on a server that is not AWS',
    wished: { isAws: false },
    have: { publicAccess: { value: off } },
    told: ['public access differs', 'public access withheld', 'storage classes note'],
    change: {
      setting: 'publicAccess',
      value: { ...off, ignorePublicAcls: true, restrictPublicBuckets: true },
    },
  },
  {
    is: 'blocks that are harmful there, and on already',
    wished: { isAws: false },
    have: {},
    told: ['public access kept', 'storage classes note'],
  },
  {
    is: 'ACLs that count',
    have: { ownership: { value: 'ObjectWriter' } },
    told: ['object ownership differs'],
    change: { setting: 'ownership', value: 'BucketOwnerEnforced' },
  },
  {
    is: 'an ownership that was never set',
    have: { ownership: { value: undefined } },
    told: ['object ownership differs'],
    change: { setting: 'ownership', value: 'BucketOwnerEnforced' },
  },
  ...(['Suspended', undefined] as const).map((value) => ({
    is: `versioning that is ${value ?? 'off'}`,
    have: { versioning: { value } },
    told: ['versioning differs'],
    change: { setting: 'versioning', value: 'Enabled' } as const,
  })),
  {
    is: 'no encryption',
    have: { encryption: { value: undefined } },
    told: ['encryption differs'],
    change: { setting: 'encryption', value: { algorithm: 'AES256', kmsKeyId: undefined, bucketKey: false } },
  },
  {
    is: 'KMS where SSE-S3 is asked for',
    have: { encryption: { value: kms(keyArn, false) } },
    told: ['encryption kept'],
  },
  {
    is: 'KMS twice where once is asked for',
    wished: withKey,
    have: { encryption: { value: twice } },
    told: ['encryption kept'],
  },
  {
    is: 'an encryption that is not known here',
    have: { encryption: { value: { algorithm: 'aws:quantum', bucketKey: false } } },
    told: ['encryption kept'],
  },
  {
    is: 'SSE-S3 where KMS is asked for, and a type of upload that is refused',
    wished: withKey,
    have: { encryption: { value: { algorithm: 'AES256', bucketKey: false, blocked: ['SSE-C'] } } },
    told: ['encryption differs'],
    change: { setting: 'encryption', value: { ...kms(keyId), blocked: ['SSE-C'] } },
  },
  {
    is: 'another key than the one asked for',
    wished: withKey,
    have: { encryption: { value: kms('other') } },
    told: ['encryption differs'],
    change: { setting: 'encryption', value: kms(keyId) },
  },
  { is: 'the same key by its ARN', wished: withKey, have: { encryption: { value: kms(keyArn) } }, told: [] },
  {
    is: "a key of one's own where AWS's is asked for",
    wished: withKms,
    have: { encryption: { value: kms(keyArn) } },
    told: ['encryption kept'],
  },
  {
    is: 'KMS as asked for, without the bucket key',
    wished: withKms,
    have: { encryption: { value: kms(keyArn, false) } },
    told: ['encryption differs'],
    change: { setting: 'encryption', value: kms(keyArn) },
  },
  {
    is: 'tags of others, and one of ours with another value',
    wished: { tags: { team: 'vision', cost: '42' } },
    have: { tags: { value: { team: 'audio', owner: 'them', 'aws:cloudformation:stack-id': 'x' } } },
    told: ['tags differs'],
    change: {
      setting: 'tags',
      value: { team: 'vision', cost: '42', owner: 'them', 'aws:cloudformation:stack-id': 'x' },
    },
  },
  {
    is: 'tags that are there, in another order, with those of others',
    wished: { tags: { team: 'vision', cost: '42' } },
    have: { tags: { value: { owner: 'them', cost: '42', team: 'vision' } } },
    told: [],
  },
  { is: 'tags of others where none is asked for', have: { tags: { value: { owner: 'them' } } }, told: [] },
  {
    is: 'an access log where none is asked for',
    have: { accessLog: { value: { bucket: 'theirs', prefix: '' } } },
    told: [],
  },
  {
    is: 'an access log, on a server that is not AWS',
    wished: { isAws: false, accessLogBucket: 'logs' },
    have: access({ blockPublicAcls: true }),
    told: ['public access kept', 'storage classes note', 'access log lacking'],
  },
  {
    is: 'settings that the endpoint does not know',
    have: { encryption: { lacking: 'no' }, ownership: { lacking: 'no' }, lifecycle: { lacking: 'no' } },
    told: ['object ownership lacking', 'encryption lacking', 'lifecycle lacking'],
  },
];

describe('planBucket()', () => {
  test.each(rows)('of $is', ({ wished, have, told, change }) => {
    const plan = planBucket(wish(wished), { ...asWished, ...have }, undefined);
    const others = plan.lines.filter(({ state }) => state !== 'right');
    expect(others.map(({ setting, state }) => `${setting} ${state}`)).toEqual(told);
    expect(plan.changes).toEqual(change === undefined ? [] : [change]);
  });

  test('of a bucket that is not there creates it first, then all else, in an order in which each can be made', () => {
    const plan = planBucket(wish({ accessLogBucket: 'logs', tags: { a: 'b' } }), undefined, undefined);
    expect(plan.changes.map(({ setting }) => setting)).toEqual([
      ...['bucket', 'publicAccess', 'ownership', 'versioning', 'encryption', 'lifecycle'],
      ...['logBucket', 'logPolicy', 'accessLog', 'tags'],
    ]);
  });
});

describe('the access log', () => {
  const logged = { ...asWished, accessLog: { value: { bucket: 'logs', prefix: 'of-theirs/' } } };
  const wanted = wish({ accessLogBucket: 'logs', region: 'cn-north-1' });
  const theirs = { Sid: 'Theirs', Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: '*' };
  const targetOf = (statements: unknown): LogTarget => ({
    policy: { value: JSON.stringify({ Id: 'kept', Version: '2008-10-17', Statement: statements }) },
  });
  const policyOf = (changes: readonly BucketChange[]) => {
    const change = changes.find(({ setting }) => setting === 'logPolicy');
    if (change?.setting !== 'logPolicy') throw new Error('the plan changes no policy');
    return JSON.parse(change.policy) as { Id?: string; Version: string; Statement: object[] };
  };

  test('lets the logging service write for this bucket alone, and keeps what else the policy says', () => {
    const { changes } = planBucket(wanted, logged, targetOf(theirs));
    const policy = policyOf(changes);
    expect(policy).toMatchObject({ Id: 'kept', Version: '2008-10-17' });
    expect(policy.Statement).toEqual([
      theirs,
      {
        Sid: 'AccessLogsOfyourcompanytraininglogs',
        Effect: 'Allow',
        Principal: { Service: 'logging.s3.amazonaws.com' },
        Action: 's3:PutObject',
        Resource: 'arn:aws-cn:s3:::logs/of-theirs/*',
        Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws-cn:s3:::your-company-training-logs' } },
      },
    ]);
  });

  test('is as it shall be once its policy has the statement, whatever the order of its fields', () => {
    const first = policyOf(planBucket(wanted, logged, targetOf([theirs])).changes);
    const turned = first.Statement.map((one) => Object.fromEntries(Object.entries(one).reverse()));
    expect(planBucket(wanted, logged, targetOf(turned)).changes).toEqual([]);
  });

  test('that is new is let in under the name of the bucket', () => {
    const [{ Resource } = {}] = policyOf(planBucket(wanted, asWished, undefined).changes).Statement as {
      Resource?: string;
    }[];
    expect(Resource).toBe('arn:aws-cn:s3:::logs/your-company-training-logs/*');
  });

  test('replaces a statement of the same name that says something else', () => {
    const old = { Sid: 'AccessLogsOfyourcompanytraininglogs', Effect: 'Allow', Resource: 'elsewhere' };
    expect(policyOf(planBucket(wanted, logged, targetOf([old, theirs])).changes).Statement).toHaveLength(2);
  });

  test('that goes to another bucket is sent to the one asked for', () => {
    const elsewhere = { ...asWished, accessLog: { value: { bucket: 'old', prefix: '' } } };
    const { changes } = planBucket(wanted, elsewhere, targetOf([theirs]));
    expect(changes.at(-1)).toEqual({
      setting: 'accessLog',
      value: { bucket: 'logs', prefix: 'your-company-training-logs/' },
    });
  });
});
