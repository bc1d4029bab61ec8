import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { AwsIdentity } from './aws-credential-chain.ts';
import type { S3Access } from './s3-access.ts';
import { isAws } from './s3-client.ts';

export interface CallerIdentityOptions {
  readonly region: string;
  readonly endpoint: string | undefined;
  readonly access: S3Access;
  readonly timeoutMs: number;
  /** Monotonic. */
  readonly nowMs: () => number;
}

/** Where it did not answer, it is not asked again for so long: a network without a way to it stays that. */
const askAgainMs = 60 * 60_000;
const nameMax = 2048;

/**
 * Whom the credentials belong to, by sts:GetCallerIdentity, which every identity of AWS may ask. Its name never changes,
 * so that it is asked once for each access key. Other servers are asked at their own address, and most know no such
 * question: then nobody knows the name, and nothing is wrong.
 */
export class CallerIdentity {
  readonly #options: CallerIdentityOptions;
  #known:
    | { readonly accessKeyId: string; readonly name: string | undefined; readonly askedMs: number }
    | undefined;

  constructor(options: CallerIdentityOptions) {
    this.#options = options;
  }

  /** Never throws: undefined where it is not told. */
  async name(signal: AbortSignal): Promise<string | undefined> {
    const { access, nowMs } = this.#options;
    try {
      const identity = await access.credentials.current();
      const { accessKeyId } = identity;
      const known = this.#known?.accessKeyId === accessKeyId ? this.#known : undefined;
      if (known?.name !== undefined || (known && nowMs() - known.askedMs < askAgainMs)) return known.name;
      this.#known = { accessKeyId, name: await this.#ask(identity, signal), askedMs: nowMs() };
      return this.#known.name;
    } catch {
      return undefined; // reason: that there are no credentials is told by who asks the bucket
    }
  }

  async #ask(identity: AwsIdentity, signal: AbortSignal): Promise<string | undefined> {
    const { region, endpoint, access, timeoutMs } = this.#options;
    const client = new STSClient({
      region,
      credentials: {
        accessKeyId: identity.accessKeyId,
        secretAccessKey: identity.secretAccessKey,
        ...(identity.sessionToken !== undefined && { sessionToken: identity.sessionToken }),
      },
      systemClockOffset: access.clock.offsetMs(),
      ignoreConfiguredEndpointUrls: true,
      maxAttempts: 1,
      requestHandler: {
        connectionTimeout: timeoutMs,
        requestTimeout: timeoutMs,
        throwOnRequestTimeout: true,
      },
      ...(endpoint !== undefined && !isAws(endpoint) && { endpoint }),
    });
    try {
      const { Arn } = await client.send(new GetCallerIdentityCommand({}), { abortSignal: signal });
      return Arn?.slice(0, nameMax);
    } catch {
      return undefined; // reason: whoever does not tell the name may serve all the same
    } finally {
      client.destroy();
    }
  }
}
