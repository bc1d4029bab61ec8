import type { AccessLog, LogTarget } from '../ports/bucket-admin.ts';
import type { DesiredState } from './desired-state.ts';
import { type Compared, differs, lacking, right, unchanged } from './line.ts';
import { partitionOf } from './policy.ts';
import { sortedJson } from './sorted-json.ts';
import { accessLogText } from './words.ts';

const setting = 'access log bucket';

/**
 * What the bucket that access logs go to needs: to be there, and a policy that lets the logging service of S3 write for
 * our bucket alone. Buckets without ACLs, as all new ones are, take logs in no other way.
 */
export function compareLogTarget(
  want: DesiredState,
  accessLog: AccessLog,
  target: LogTarget | undefined,
): Compared {
  const { bucket } = accessLog;
  const statement = logStatement(want, accessLog);
  const wanted = `the logging service may write ${accessLogText(accessLog)}`;
  if (target === undefined) {
    const policy = withStatement(undefined, statement);
    const changes = [
      { setting: 'logBucket', bucket } as const,
      { setting: 'logPolicy', bucket, policy } as const,
    ];
    return {
      lines: [differs(setting, `no bucket ${JSON.stringify(bucket)}`, `created; ${wanted}`)],
      changes,
    };
  }
  if ('lacking' in target.policy) return unchanged(lacking(setting, wanted, target.policy.lacking));
  const policy = target.policy.value;
  if (hasStatement(policy, statement)) return unchanged(right(setting, wanted));
  const change = { setting: 'logPolicy', bucket, policy: withStatement(policy, statement) } as const;
  return {
    lines: [differs(setting, 'its policy does not let the logging service in', wanted)],
    changes: [change],
  };
}

interface Statement {
  readonly Sid: string;
  readonly [name: string]: unknown;
}

function logStatement({ bucket, region }: DesiredState, accessLog: AccessLog): Statement {
  const arn = `arn:${partitionOf({ region })}:s3:::`;
  return {
    // Letters and digits only; one for each bucket that logs there.
    Sid: `AccessLogsOf${bucket.replaceAll(/[^A-Za-z0-9]/g, '')}`,
    Effect: 'Allow',
    Principal: { Service: 'logging.s3.amazonaws.com' },
    Action: 's3:PutObject',
    Resource: `${arn}${accessLog.bucket}/${accessLog.prefix}*`,
    Condition: { ArnLike: { 'aws:SourceArn': `${arn}${bucket}` } },
  };
}

function hasStatement(policy: string | undefined, statement: Statement): boolean {
  return statementsOf(policy).some((one) => sortedJson(one) === sortedJson(statement));
}

function withStatement(policy: string | undefined, statement: Statement): string {
  const others = statementsOf(policy).filter((one) => !isOurs(one, statement));
  const document = policy === undefined ? { Version: '2012-10-17' } : (JSON.parse(policy) as object);
  return JSON.stringify({ ...document, Statement: [...others, statement] });
}

function isOurs(one: unknown, { Sid }: Statement): boolean {
  return typeof one === 'object' && one !== null && 'Sid' in one && one.Sid === Sid;
}

function statementsOf(policy: string | undefined): readonly unknown[] {
  if (policy === undefined) return [];
  const { Statement: found } = JSON.parse(policy) as { Statement?: unknown };
  return Array.isArray(found) ? found : found === undefined ? [] : [found];
}
