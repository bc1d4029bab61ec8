import { describe, expect, onTestFinished, test } from 'vitest';
import { createBucketAdmin } from '../../src/adapters/s3-bucket-admin.ts';
import { createS3Client } from '../../src/adapters/s3-client.ts';
import { systemClock } from '../../src/adapters/system-time.ts';
import { type Applied, applyPlan, type BucketWork, isDone, lookAtBucket } from '../../src/bucket/apply.ts';
import type { BucketWish } from '../../src/bucket/desired-state.ts';
import { differences, type Plan } from '../../src/bucket/plan.ts';
import { wish } from '../bucket/wishes.ts';
import { type Exception, type ScriptedBuckets, scriptedBuckets } from '../support/scripted-bucket.ts';
import { errorAnswer } from '../support/scripted-s3.ts';

const bucket = 'your-company-training-logs';
const credentials = { accessKeyId: 'CALLERSKEY0000000001', secretAccessKey: 'made-up' };

interface Made extends ScriptedBuckets {
  readonly work: BucketWork;
  readonly apply: () => Promise<Applied & { before: Plan }>;
}

/** A server that keeps what it is told, and who administers a bucket of it. */
async function make(more: Partial<BucketWish> = {}, exception?: Exception): Promise<Made> {
  const want = wish(more);
  const { region, isAws } = want;
  const server = await scriptedBuckets(region, exception);
  const place = { bucket, region, endpoint: server.endpoint, pathStyle: true, tags: {}, credentials };
  const client = createS3Client(place, 5_000);
  onTestFinished(() => client.destroy());
  const admin = createBucketAdmin({ client, bucket, region, isAws });
  // Only how long is waited for AWS to show what it took is cut short.
  const clock = { ...systemClock, sleep: async () => undefined };
  const work = { admin, want, clock, signal: new AbortController().signal };
  const apply = async () => {
    const before = await lookAtBucket(work);
    return { before, ...(await applyPlan(work, before)) };
  };
  return { ...server, work, apply };
}

const outcomes = ({ steps }: Applied) => steps.map(({ setting, outcome }) => `${setting} ${outcome}`);
const failures = ({ steps }: Applied) =>
  steps.flatMap((step) => (step.outcome === 'failed' ? [step.failure] : []));

describe('a bucket of AWS', () => {
  test('is made and set up by one apply; the next finds nothing to do and only asks', async () => {
    const tags = { team: 'vision' };
    const kms = { encryption: 'aws:kms', kmsKeyId: '1234abcd' } as const;
    const { apply, requests, buckets } = await make({ accessLogBucket: 'the-logs', tags, ...kms });
    const first = await apply();
    expect(outcomes(first)).toEqual([
      ...['bucket done', 'publicAccess done', 'ownership done', 'versioning done', 'encryption done'],
      ...['lifecycle done', 'logBucket done', 'logPolicy done', 'accessLog done', 'tags done'],
    ]);
    expect(isDone(first)).toBe(true);
    expect([...buckets.keys()]).toEqual([bucket, 'the-logs']);
    expect(buckets.get(bucket)?.get('encryption')).toMatch(
      /<SSEAlgorithm>aws:kms<.*<KMSMasterKeyID>1234abcd<.*<BucketKeyEnabled>true</s,
    );
    const before = requests.length;
    const second = await apply();
    expect(second.before.changes).toEqual([]);
    expect(requests.slice(before).filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  test.each(['us-east-1', 'eu-central-1'])('is made in %s, which the server checks', async (region) => {
    const { apply, buckets } = await make({ region });
    expect(isDone(await apply())).toBe(true);
    expect([...buckets.keys()]).toEqual([bucket]);
  });

  test('is made although the answer to the first attempt is lost', async () => {
    let isLost = false;
    const { apply, buckets } = await make({}, ({ method }, question) => {
      if (method !== 'PUT' || question !== '' || isLost) return undefined;
      isLost = true;
      buckets.set(bucket, new Map());
      return 'reset';
    });
    const applied = await apply();
    expect({ isLost, isDone: isDone(applied) }).toEqual({ isLost: true, isDone: true });
  });

  test('keeps rules of others, to the smallest object that moves, when ours are added', async () => {
    const theirs =
      '<Rule><ID>theirs</ID><Filter><And><Prefix>x/</Prefix><Tag><Key>a</Key><Value>b</Value></Tag></And></Filter><Status>Enabled</Status><NoncurrentVersionTransition><NoncurrentDays>40</NoncurrentDays><StorageClass>GLACIER</StorageClass></NoncurrentVersionTransition></Rule>';
    const older =
      '<Rule><ID>older</ID><Prefix>y/</Prefix><Status>Disabled</Status><Expiration><Days>9</Days></Expiration></Rule>';
    const everywhere =
      '<Rule><ID>everywhere</ID><Filter/><Status>Enabled</Status><AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>';
    const document = `<LifecycleConfiguration>${theirs}${older}${everywhere}</LifecycleConfiguration>`;
    const smallest = { 'x-amz-transition-default-minimum-object-size': 'varies_by_storage_class' };
    let isPut = false;
    const { apply, buckets, requests } = await make({}, ({ method }, question) => {
      if (question !== 'lifecycle' || isPut) return undefined;
      if (method === 'PUT') isPut = true;
      return method === 'GET' ? { status: 200, headers: smallest, body: document } : undefined;
    });
    buckets.set(bucket, new Map());
    expect(isDone(await apply())).toBe(true);
    const put = requests.find(({ method, url }) => method === 'PUT' && url.includes('?lifecycle'));
    expect(put?.headers).toMatchObject(smallest);
    const rules = (buckets.get(bucket)?.get('lifecycle') ?? '').match(/<Rule>.*?<\/Rule>/gs) ?? [];
    expect(rules).toHaveLength(5);
    expect(rules[2]).toMatch(/<Filter\s*\/>|<Filter>(<Prefix\s*\/>|<Prefix><\/Prefix>)?<\/Filter>/);
    for (const part of [
      '<ID>theirs</ID>',
      '<Tag><Key>a</Key><Value>b</Value></Tag>',
      '<NoncurrentDays>40</NoncurrentDays>',
    ])
      expect(rules[0]).toContain(part);
    expect(rules[1]).toMatch(
      /<ID>older<\/ID>.*<Filter><Prefix>y\/<\/Prefix><\/Filter>|<Filter><Prefix>y\/<\/Prefix><\/Filter>.*<ID>older<\/ID>/s,
    );
  });

  test('that shows for a moment what was there before is read again', async () => {
    let stale = 3;
    const { apply, buckets } = await make({}, ({ method }, question) => {
      if (question !== 'versioning' || method !== 'GET' || stale === 0) return undefined;
      stale -= 1;
      return { status: 200, body: '<VersioningConfiguration/>' };
    });
    buckets.set(bucket, new Map());
    const applied = await apply();
    expect(stale).toBe(0);
    expect(isDone(applied)).toBe(true);
  });

  test('that takes a change and never shows it is not done', async () => {
    const { apply, buckets } = await make({}, ({ method }, question) =>
      question === 'versioning' && method === 'GET'
        ? { status: 200, body: '<VersioningConfiguration/>' }
        : undefined,
    );
    buckets.set(bucket, new Map());
    const applied = await apply();
    expect(failures(applied)).toEqual([]);
    expect(applied.after && differences(applied.after)).toBe(1);
    expect(isDone(applied)).toBe(false);
  });
});

describe('what fails', () => {
  test('for want of a right is named with the right, and all else is done', async () => {
    const { apply } = await make({}, ({ method }, question) =>
      method === 'PUT' && question === 'encryption' ? errorAnswer(403, 'AccessDenied') : undefined,
    );
    const applied = await apply();
    expect(outcomes(applied).filter((one) => !one.endsWith(' done'))).toEqual(['encryption failed']);
    expect(failures(applied)).toMatchObject([
      {
        denied: true,
        remedy: expect.stringMatching(/^allow s3:PutEncryptionConfiguration to whom you are here/),
      },
    ]);
    expect(isDone(applied)).toBe(false);
  });

  test('because the server goes away ends it, and what was not tried is named', async () => {
    const { apply } = await make({}, ({ method }, question) =>
      method === 'PUT' && question === 'versioning' ? 'reset' : undefined,
    );
    expect(outcomes(await apply())).toEqual([
      ...['bucket done', 'publicAccess done', 'ownership done', 'versioning failed'],
      ...['encryption notTried', 'lifecycle notTried'],
    ]);
  });

  test('because the name is taken leaves all else untried', async () => {
    const { apply } = await make({}, ({ method }, question) =>
      method === 'PUT' && question === '' ? errorAnswer(409, 'BucketAlreadyExists') : undefined,
    );
    const applied = await apply();
    expect(outcomes(applied)[0]).toBe('bucket failed');
    expect(
      outcomes(applied)
        .slice(1)
        .every((one) => one.endsWith(' notTried')),
    ).toBe(true);
    expect(failures(applied)[0]?.remedy).toMatch(/choose another name/);
  });

  test('while the bucket that was just made is looked at says that it was made', async () => {
    const { apply, buckets } = await make({}, ({ method }, question) =>
      method === 'GET' && question === 'tagging' && buckets.size > 0
        ? errorAnswer(403, 'AccessDenied')
        : undefined,
    );
    const applied = await apply();
    expect(outcomes(applied).slice(0, 3)).toEqual([
      'bucket done',
      'publicAccess failed',
      'ownership notTried',
    ]);
    expect(applied.unread?.remedy).toMatch(/^allow s3:GetBucketTagging/);
    expect(isDone(applied)).toBe(false);
  });

  test.each([
    ['the bucket', bucket, 'set AWS_REGION=eu-west-3 (destination.region): the bucket is there'],
    ['the bucket of the logs', 'the-logs', 'name a bucket of eu-central-1 in bucket.accessLogBucket'],
  ])(
    'because %s is in another region says which name or region is to be changed',
    async (_, elsewhere, remedy) => {
      const redirect = errorAnswer(301, 'PermanentRedirect', '', { 'x-amz-bucket-region': 'eu-west-3' });
      const { work, buckets } = await make({ accessLogBucket: 'the-logs' }, ({ url }) =>
        new URL(url, 'http://host').pathname === `/${elsewhere}/` ? redirect : undefined,
      );
      buckets.set(bucket, new Map());
      await expect(lookAtBucket(work)).rejects.toMatchObject({ remedy: expect.stringContaining(remedy) });
    },
  );
});

describe('an endpoint that is not AWS', () => {
  test.each([
    ['501 when it is asked', 'GET', errorAnswer(501, 'NotImplemented')],
    [
      'with a list of keys',
      'GET',
      { status: 200, body: '<ListBucketResult><Name>x</Name></ListBucketResult>' },
    ],
    ['405 only when it is told', 'PUT', errorAnswer(405, 'MethodNotAllowed')],
    ['400 only when it is told', 'PUT', errorAnswer(400, 'InvalidArgument')],
  ] as const)('that answers for a setting %s lacks it: named, and nothing failed', async (_, at, answer) => {
    const { apply, work } = await make({ isAws: false }, ({ method }, question) =>
      question === 'encryption' && (method === at || at === 'GET') ? answer : undefined,
    );
    const applied = await apply();
    expect(failures(applied)).toEqual([]);
    expect(isDone(applied)).toBe(true);
    const told = applied.after?.lines.find(({ setting }) => setting === 'encryption');
    expect(told).toMatchObject({ state: 'lacking', why: expect.stringMatching(/^the endpoint answers s3:/) });
    // What is known only by trying stays a difference to whoever does not try.
    expect(differences(await lookAtBucket(work))).toBe(at === 'PUT' ? 1 : 0);
  });

  test('and refuses for other reasons fails as AWS would', async () => {
    const { apply } = await make({ isAws: false }, ({ method }, question) =>
      method === 'PUT' && question === 'encryption' ? errorAnswer(403, 'AccessDenied') : undefined,
    );
    expect(failures(await apply())).toMatchObject([{ code: 'AccessDenied', denied: true }]);
  });
});
