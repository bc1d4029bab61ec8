import type { CredentialSource } from './adapters/aws-credential-chain.ts';
import { type CredentialSurroundings, credentialSources } from './adapters/aws-credential-sources.ts';
import { createAwsCredentials } from './adapters/aws-credentials.ts';
import { CallerIdentity } from './adapters/caller-identity.ts';
import type { S3Access } from './adapters/s3-access.ts';
import { createBucketAdmin } from './adapters/s3-bucket-admin.ts';
import { createS3Client, isAws } from './adapters/s3-client.ts';
import { createSigningClock } from './adapters/signing-clock.ts';
import { type DesiredState, desiredState } from './bucket/desired-state.ts';
import type { Config, Credentials, S3Destination } from './config/config.ts';
import { Failure } from './domain/failure.ts';
import type { BucketAdmin } from './ports/bucket-admin.ts';
import type { Clock } from './ports/clock.ts';

/** Who asks for changes of the bucket: never the agent, whose keys stand in the `.env` file. */
export interface Caller {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string | undefined;
  /** The pair of the environment alone. */
  readonly environmentPair: Credentials | undefined;
  /** Of the pair in the `.env` file, should there be one. */
  readonly agentKeyId: string | undefined;
}

export interface Administered {
  readonly admin: BucketAdmin;
  /** In words, where the credentials are from. */
  readonly source: string;
  /** Whom they belong to, where the endpoint tells. */
  readonly identity?: string;
  readonly close: () => void;
}

const idleTimeoutMs = 20_000;
const identityTimeoutMs = 3_000;

/** Throws Failure where the caller has no credentials. */
export async function administer(
  destination: S3Destination,
  caller: Caller,
  clock: Clock,
  signal: AbortSignal,
): Promise<Administered> {
  const { bucket, region, endpoint, pathStyle } = destination;
  const access = accessOf(caller, region, clock);
  await checkCaller(access, caller);
  const [timeoutMs, nowMs] = [identityTimeoutMs, clock.monotonicMs];
  const identity = await new CallerIdentity({ region, endpoint, access, timeoutMs, nowMs }).name(signal);
  const client = createS3Client({ bucket, region, endpoint, pathStyle, tags: {} }, idleTimeoutMs, access);
  return {
    admin: createBucketAdmin({ client, bucket, region, isAws: isAws(endpoint) }),
    source: access.credentials.describe().source,
    ...(identity !== undefined && { identity }),
    close: () => client.destroy(),
  };
}

function accessOf(caller: Caller, region: string, clock: Clock): S3Access {
  const quiet = () => undefined;
  const { nowMs: now, monotonicMs: monotonic } = clock;
  const signingClock = createSigningClock({ now, monotonic, onSkew: quiet });
  const sources = callerSources(caller, region);
  const told = { onChanged: quiet, onProblem: quiet };
  return {
    credentials: createAwsCredentials({ sources, clock, signingClock, ...told }),
    clock: signingClock,
  };
}

/** That there are credentials, and that they are not the agent's by another way. */
async function checkCaller({ credentials }: S3Access, { agentKeyId }: Caller): Promise<void> {
  const remedy =
    "set AWS_PROFILE to a profile of yours that may set up buckets; the keys in the .env file are the agent's and are not used";
  const refusal = { kind: 'blocked', denied: true, remedy } as const;
  try {
    const { accessKeyId } = await credentials.current();
    if (accessKeyId !== agentKeyId) return;
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'NoCredentials') throw error;
    throw new Failure({ ...refusal, code: error.code, attempted: error.message });
  }
  const attempted = `getting credentials: ${credentials.describe().source} has the key of the .env file`;
  throw new Failure({ ...refusal, code: 'AgentCredentials', attempted });
}

/**
 * A profile that is named goes first, as in AWS's tools; then the pair of the environment, unless it is the agent's
 * own, as it is in a shell that read the `.env` file; then what else AWS's tools look at.
 */
function callerSources(caller: Caller, region: string): readonly CredentialSource[] {
  const { env, homeDirectory, environmentPair, agentKeyId } = caller;
  const surroundings: CredentialSurroundings = { env, homeDirectory, region, keyPair: undefined };
  if (environmentPair === undefined || env['AWS_PROFILE']) return credentialSources(surroundings);
  const isAgents = environmentPair.accessKeyId === agentKeyId;
  if (!isAgents) return credentialSources({ ...surroundings, keyPair: { read: () => environmentPair } });
  const absent = 'AWS_ACCESS_KEY_ID of the environment is that of the .env file: the agent, not you';
  return [{ files: [], resolve: async () => ({ absent }) }, ...credentialSources(surroundings)];
}

export function wantedBucket(
  { bucket: options }: Pick<Config, 'bucket'>,
  destination: S3Destination,
  isExpiryChosen: boolean,
): DesiredState {
  const { bucket, region, keyTemplate, encryption, kmsKeyId, endpoint } = destination;
  const { tags, accessLogBucket, expireAfterDays } = options;
  return desiredState({
    bucket,
    region,
    isAws: isAws(endpoint),
    keyTemplate,
    ...(encryption !== undefined && { encryption }),
    ...(kmsKeyId !== undefined && { kmsKeyId }),
    tags,
    ...(accessLogBucket !== undefined && { accessLogBucket }),
    ...(expireAfterDays !== undefined && { expireAfterDays }),
    isExpiryChosen,
  });
}
