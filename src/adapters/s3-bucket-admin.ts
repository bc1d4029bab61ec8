import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLoggingCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Failure } from '../domain/failure.ts';
import type { BucketAdmin, BucketChange, BucketState, LogTarget, Read } from '../ports/bucket-admin.ts';
import { actionOf, adminFailure, isLacking } from './s3-admin-failure.ts';
import { asAccess, asEncryption, asLifecycle, asTags, asVersioning } from './s3-bucket-settings.ts';
import { sendChange } from './s3-bucket-writes.ts';
import { textAt } from './s3-error.ts';

export interface BucketAdminOptions {
  readonly client: S3Client;
  readonly bucket: string;
  readonly region: string;
  /** Of AWS it is known that it has every setting: what it refuses is wrong, and not missing. */
  readonly isAws: boolean;
}

/** The settings of a bucket by the calls of S3, with the caller's own rights. */
export function createBucketAdmin(options: BucketAdminOptions): BucketAdmin {
  return new S3BucketAdmin(options);
}

/** What is answered where a setting was never made. */
const unset: ReadonlySet<string> = new Set([
  'NoSuchPublicAccessBlockConfiguration',
  'OwnershipControlsNotFoundError',
  'ServerSideEncryptionConfigurationNotFoundError',
  'NoSuchLifecycleConfiguration',
  'NoSuchTagSet',
  'NoSuchTagSetError',
  'NoSuchBucketPolicy',
]);

class S3BucketAdmin implements BucketAdmin {
  readonly #options: BucketAdminOptions;

  constructor(options: BucketAdminOptions) {
    this.#options = options;
  }

  async read(signal: AbortSignal): Promise<BucketState | undefined> {
    const { client, bucket } = this.#options;
    const [Bucket, abort] = [bucket, { abortSignal: signal }] as const;
    const versioning = await this.#unlessMissing('s3:GetBucketVersioning', bucket, signal, async () =>
      asVersioning(await client.send(new GetBucketVersioningCommand({ Bucket }), abort)),
    );
    if (versioning === undefined) return undefined;
    return {
      versioning,
      publicAccess: await this.#setting('s3:GetBucketPublicAccessBlock', signal, async () => {
        const answer = await client.send(new GetPublicAccessBlockCommand({ Bucket }), abort);
        return asAccess(answer.PublicAccessBlockConfiguration);
      }),
      ownership: await this.#setting('s3:GetBucketOwnershipControls', signal, async () => {
        const answer = await client.send(new GetBucketOwnershipControlsCommand({ Bucket }), abort);
        return answer.OwnershipControls?.Rules?.[0]?.ObjectOwnership ?? nothing;
      }),
      encryption: await this.#setting('s3:GetEncryptionConfiguration', signal, async () => {
        const answer = await client.send(new GetBucketEncryptionCommand({ Bucket }), abort);
        return asEncryption(answer.ServerSideEncryptionConfiguration?.Rules?.[0]) ?? nothing;
      }),
      lifecycle: await this.#setting('s3:GetLifecycleConfiguration', signal, async () =>
        asLifecycle(await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }), abort)),
      ),
      accessLog: await this.#setting('s3:GetBucketLogging', signal, async () => {
        const { LoggingEnabled: log } = await client.send(new GetBucketLoggingCommand({ Bucket }), abort);
        return log && { bucket: log.TargetBucket ?? '', prefix: log.TargetPrefix ?? '' };
      }),
      tags: await this.#setting('s3:GetBucketTagging', signal, async () =>
        asTags((await client.send(new GetBucketTaggingCommand({ Bucket }), abort)).TagSet),
      ),
    };
  }

  async readLogTarget(bucket: string, signal: AbortSignal): Promise<LogTarget | undefined> {
    try {
      const policy = await this.#unlessMissing('s3:GetBucketPolicy', bucket, signal, async () => {
        const command = new GetBucketPolicyCommand({ Bucket: bucket });
        return (await this.#options.client.send(command, { abortSignal: signal })).Policy;
      });
      return policy && { policy };
    } catch (error) {
      throw elsewhere(error, this.#options.region);
    }
  }

  async change(change: BucketChange, signal: AbortSignal): Promise<string | undefined> {
    const { client, bucket } = this.#options;
    const on = 'bucket' in change ? change.bucket : bucket;
    try {
      if (change.setting === 'bucket' || change.setting === 'logBucket') await this.#create(on, signal);
      else await sendChange(client, bucket, change, signal);
      return undefined;
    } catch (error) {
      const action = actionOf(change);
      if (!signal.aborted && isLacking(error, this.#options.isAws)) return lackingText(error, action);
      throw adminFailure(error, { action, doing: `${action} on s3://${on}`, signal });
    }
  }

  async #create(bucket: string, signal: AbortSignal): Promise<void> {
    const { client, region } = this.#options;
    const LocationConstraint = region as BucketLocationConstraint;
    // us-east-1 is the one region that must not be named.
    const place = region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint } };
    try {
      await client.send(new CreateBucketCommand({ Bucket: bucket, ...place }), { abortSignal: signal });
    } catch (error) {
      // Of an attempt whose answer was lost.
      if (textAt(error, 'name') !== 'BucketAlreadyOwnedByYou') throw error;
    }
  }

  async #unlessMissing<T>(
    action: string,
    bucket: string,
    signal: AbortSignal,
    ask: () => Promise<T | undefined>,
  ): Promise<Read<T> | undefined> {
    try {
      return await this.#ask(action, bucket, signal, ask);
    } catch (error) {
      if (error instanceof Failure && error.code === 'NoSuchBucket') return undefined;
      throw error;
    }
  }

  #setting<T>(
    action: string,
    signal: AbortSignal,
    ask: () => Promise<T | typeof nothing | undefined>,
  ): Promise<Read<T>> {
    return this.#ask(action, this.#options.bucket, signal, ask);
  }

  async #ask<T>(
    action: string,
    bucket: string,
    signal: AbortSignal,
    ask: () => Promise<T | typeof nothing | undefined>,
  ): Promise<Read<T>> {
    const { isAws } = this.#options;
    try {
      const value = await ask();
      if (value !== nothing) return { value };
      if (isAws) return { value: undefined };
      return { lacking: `the endpoint answers ${action} with something else: it knows no such setting` };
    } catch (error) {
      if (!signal.aborted && unset.has(textAt(error, 'name'))) return { value: undefined };
      if (!signal.aborted && isLacking(error, isAws)) return { lacking: lackingText(error, action) };
      throw adminFailure(error, { action, doing: `${action} on s3://${bucket}`, signal });
    }
  }
}

/** Logs go to a bucket of the same region: it is that one's name that is wrong, and not our region. */
function elsewhere(error: unknown, region: string): unknown {
  if (!(error instanceof Failure) || !/Redirect|^AuthorizationHeaderMalformed$/.test(error.code))
    return error;
  const { kind, code, message, cause } = error;
  const remedy = `name a bucket of ${region} in bucket.accessLogBucket: access logs stay in their region`;
  return new Failure({ kind, code, attempted: message, remedy, cause });
}

/** An answer without the setting in it: servers that do not know a question may answer another one. */
const nothing = Symbol('nothing');

function lackingText(error: unknown, action: string): string {
  return `the endpoint answers ${action} with ${textAt(error, 'name') || 'an error'}: it knows no such setting`;
}
