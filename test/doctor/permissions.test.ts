import { expect, test } from 'vitest';
import { checkPermissions } from '../../src/doctor/permissions.ts';
import { Failure } from '../../src/domain/failure.ts';
import { visitOf } from './visit.ts';

test.each([
  ['us-east-1', 'arn:aws:s3:::logs'],
  ['cn-north-1', 'arn:aws-cn:s3:::logs'],
  ['us-gov-west-1', 'arn:aws-us-gov:s3:::logs'],
])('what is denied in %s is to be allowed on %s', async (region, arn) => {
  const failure = new Failure({
    kind: 'blocked',
    code: 'AccessDenied',
    attempted: 'asking: no',
    denied: true,
  });
  const actions = ['s3:ListBucket', 's3:GetObject', 's3:PutObject'] as const;
  const tried = actions.map((action) => ({ action, on: 'training-logs/', failure }));
  const bucket = async () => ({ asked: true, troubles: {}, answers: { dates: [] }, tried, objects: 0 });
  const env = { TRAINLOGD_DESTINATION_URL: 's3://logs', AWS_REGION: region };
  const { visit } = await visitOf({ env, more: () => ({ bucket }) });
  const findings = await checkPermissions(visit);
  const remedies = 'because' in findings ? [] : findings.map(({ remedy = '' }) => remedy);
  expect(remedies).toHaveLength(actions.length);
  for (const remedy of remedies) expect(remedy).toMatch(new RegExp(`${arn}[ /]`));
});
