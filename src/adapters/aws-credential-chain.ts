import { Failure } from '../domain/failure.ts';

export interface AwsIdentity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly expiration?: Date | undefined;
}

/** One place that credentials may come from. */
export interface CredentialSource {
  /** Files whose change means that other credentials may be there. */
  readonly files: readonly string[];
  /** `absent`: nothing is set up there, and how one sees it; the next source is asked. Throws a Failure that names the source. */
  resolve(): Promise<ResolvedCredentials | { readonly absent: string }>;
}

export interface ResolvedCredentials {
  readonly identity: AwsIdentity;
  /** In words: `profile "default" in /home/x/.aws/credentials`. */
  readonly source: string;
}

/** Of the first source that is set up. Throws a Failure when none is, or when that one fails. */
export async function firstOf(sources: readonly CredentialSource[]): Promise<ResolvedCredentials> {
  const absent: string[] = [];
  for (const source of sources) {
    const resolved = await source.resolve();
    if ('identity' in resolved) return resolved;
    absent.push(resolved.absent);
  }
  throw new Failure({
    kind: 'blocked',
    denied: true,
    code: 'NoCredentials',
    attempted: `getting credentials: none are set up here (${absent.join('; ')})`,
    remedy:
      'give credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role of this host or pod',
  });
}
