import { describe, expect, test } from 'vitest';
import { agentPolicy, type PolicyTarget, partitionOf } from '../../src/bucket/policy.ts';

const base: PolicyTarget = {
  bucket: 'your-company-training-logs',
  region: 'us-east-1',
  keyTemplate: 'training-logs/{year}/{month}/{session-id}.log',
  tags: {},
};

interface Policy {
  readonly Statement: readonly {
    readonly Sid: string;
    readonly Action: unknown;
    readonly Resource: string;
    readonly Condition?: object;
  }[];
}

const policyOf = (more: Partial<PolicyTarget> = {}) => agentPolicy({ ...base, ...more }) as Policy;

describe('agentPolicy()', () => {
  test("is the setup guide's, word for word, where nothing more is configured", () => {
    expect(policyOf()).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'TrainingLogsUpload',
          Effect: 'Allow',
          Action: ['s3:PutObject', 's3:GetObject'],
          Resource: 'arn:aws:s3:::your-company-training-logs/training-logs/*',
        },
        {
          Sid: 'ListBucket',
          Effect: 'Allow',
          Action: 's3:ListBucket',
          Resource: 'arn:aws:s3:::your-company-training-logs',
          Condition: { StringLike: { 's3:prefix': 'training-logs/*' } },
        },
      ],
    });
  });

  test.each([
    ['team-b/runs/{year}/{session-id}.log', 'team-b/runs/'],
    ['logs-{year}/{session-id}.log', 'logs-'],
    ['{year}/{session-id}.log', ''],
    // Characters that would stand for others: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    ['a*/b?c$/{year}/{session-id}.log', `a\${*}/b\${?}c\${$}/`],
  ])('follows the fixed prefix of %s', (keyTemplate, prefix) => {
    const [upload, list] = policyOf({ keyTemplate }).Statement;
    expect(upload?.Resource).toBe(`arn:aws:s3:::your-company-training-logs/${prefix}*`);
    expect(list?.Condition).toEqual({ StringLike: { 's3:prefix': `${prefix}*` } });
  });

  test.each<[string, Partial<PolicyTarget>, string[]]>([
    ['tags', { tags: { team: 'vision' } }, ['TrainingLogsTags']],
    ["KMS with AWS's own key", { encryption: 'aws:kms' }, []],
    ['KMS with a key', { encryption: 'aws:kms', kmsKeyId: '1234abcd' }, ['TrainingLogsKey']],
  ])('allows what %s need and no more', (_, more, sids) => {
    expect(policyOf(more).Statement.map(({ Sid }) => Sid)).toEqual([
      'TrainingLogsUpload',
      'ListBucket',
      ...sids,
    ]);
  });

  const alias = { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/logs' } };
  test.each([
    ['1234abcd', 'arn:aws:kms:us-east-1:*:key/1234abcd', undefined],
    ['arn:aws:kms:us-east-1:1:key/1234abcd', 'arn:aws:kms:us-east-1:1:key/1234abcd', undefined],
    ['alias/logs', 'arn:aws:kms:us-east-1:*:key/*', alias],
    ['arn:aws:kms:us-east-1:1:alias/logs', 'arn:aws:kms:us-east-1:1:key/*', alias],
  ])('names the key %s as policies do', (kmsKeyId, resource, condition) => {
    const { Resource, Condition, Action } = policyOf({ kmsKeyId }).Statement.at(-1) ?? {};
    expect({ Resource, Condition }).toEqual({ Resource: resource, Condition: condition });
    expect(Action).toEqual(['kms:GenerateDataKey', 'kms:Decrypt']);
  });

  test.each([
    ['cn-north-1', undefined, 'aws-cn'],
    ['us-gov-west-1', undefined, 'aws-us-gov'],
    ['us-isob-east-1', undefined, 'aws-iso-b'],
    ['eu-central-1', undefined, 'aws'],
    ['cn-north-1', 'https://s3.cn-north-1.amazonaws.com.cn', 'aws-cn'],
    ['cn-hangzhou', 'https://oss-cn-hangzhou.example', 'aws'],
  ])('of %s at %s begins its ARNs with the partition %s', (region, endpoint, partition) => {
    const place = { region, ...(endpoint !== undefined && { endpoint }) };
    expect(partitionOf(place)).toBe(partition);
    expect(policyOf(place).Statement[0]?.Resource).toMatch(new RegExp(`^arn:${partition}:s3:::`));
  });
});
