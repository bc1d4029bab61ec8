import { join } from 'node:path';
import { type FromHttpOptions, fromHttp } from '@aws-sdk/credential-provider-http';
import { fromTokenFile } from '@aws-sdk/credential-provider-web-identity';
import { fromInstanceMetadata } from '@smithy/credential-provider-imds';
import type { AwsIdentity, CredentialSource } from './aws-credential-chain.ts';
import { instanceAbsence, sourceFailure } from './aws-credentials-failure.ts';
import { profileSource } from './aws-profile.ts';

/** The guide's key pair, from the environment or a `.env` file. */
export interface KeyPair {
  /** The file that it, or a part of it, stands in. */
  readonly file?: string | undefined;
  /** Reads it again; a text says what is wrong with it now. */
  readonly read: () => AwsIdentity | string;
}

export interface CredentialSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string | undefined;
  /** Of the bucket: where roles are asked for when nothing says otherwise. */
  readonly region: string;
  readonly keyPair: KeyPair | undefined;
}

const timeoutMs = 2_000;
const retriesMax = 1;

/** Where credentials may come from, in the order in which they are looked for. */
export function credentialSources(surroundings: CredentialSurroundings): readonly CredentialSource[] {
  const { env, keyPair, homeDirectory, region } = surroundings;
  if (keyPair !== undefined) return [keyPairSource(keyPair)];
  const inHome = (name: string) =>
    homeDirectory === undefined ? undefined : join(homeDirectory, '.aws', name);
  return [
    profileSource({
      name: env['AWS_PROFILE'] || undefined,
      credentialsFile: env['AWS_SHARED_CREDENTIALS_FILE'] || inHome('credentials'),
      configFile: env['AWS_CONFIG_FILE'] || inHome('config'),
      region,
    }),
    webIdentitySource(env, region),
    containerSource(env),
    instanceSource(env),
  ];
}

function keyPairSource({ file, read }: KeyPair): CredentialSource {
  const source = file === undefined ? 'environment' : `.env file ${file}`;
  return {
    files: file === undefined ? [] : [file],
    async resolve() {
      const found = read();
      if (typeof found !== 'string') return { identity: found, source };
      const remedy = 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY there';
      throw sourceFailure(new Error(found), { source, code: 'KeyPairUnreadable', remedy });
    },
  };
}

function webIdentitySource(env: CredentialSurroundings['env'], region: string): CredentialSource {
  const [webIdentityTokenFile, roleArn] = [env['AWS_WEB_IDENTITY_TOKEN_FILE'], env['AWS_ROLE_ARN']];
  const roleSessionName = env['AWS_ROLE_SESSION_NAME'] || 'trainlogd';
  if (!webIdentityTokenFile || !roleArn)
    return absentSource('AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN are not set');
  const source = `web identity token ${webIdentityTokenFile}`;
  const provider = fromTokenFile({ webIdentityTokenFile, roleArn, roleSessionName, logger: quiet });
  const remedy = `check that ${webIdentityTokenFile} is there and readable, and that the role ${roleArn} trusts it`;
  return sourceOf(source, remedy, () => provider({ callerClientConfig: { region: async () => region } }));
}

function containerSource(env: CredentialSurroundings['env']): CredentialSource {
  const relative = env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'] || undefined;
  const full = env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] || undefined;
  if (relative === undefined && full === undefined)
    return absentSource('AWS_CONTAINER_CREDENTIALS_FULL_URI is not set');
  const token = env['AWS_CONTAINER_AUTHORIZATION_TOKEN'];
  const tokenFile = env['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'];
  const uri: FromHttpOptions = relative
    ? { awsContainerCredentialsRelativeUri: relative }
    : { awsContainerCredentialsFullUri: full ?? '' };
  const authorization: FromHttpOptions = tokenFile
    ? { awsContainerAuthorizationTokenFile: tokenFile }
    : { ...(token && { awsContainerAuthorizationToken: token }) };
  const init = { ...uri, ...authorization, timeout: timeoutMs, maxRetries: retriesMax, logger: quiet };
  const remedy = "check the task's or pod's role, and that its credential service answers";
  // Made anew each time: it looks at its address when it is made, and an address that is not allowed throws.
  return sourceOf('container role', remedy, () => fromHttp(init)());
}

function instanceSource(env: CredentialSurroundings['env']): CredentialSource {
  const disabled = env['AWS_EC2_METADATA_DISABLED'];
  if (disabled && disabled.toLowerCase() !== 'false')
    return absentSource('instance role: AWS_EC2_METADATA_DISABLED');
  const remedy =
    'check the role of this instance; in a container, that the metadata service allows two hops (HttpPutResponseHopLimit)';
  return {
    files: [],
    async resolve() {
      try {
        // Anew each time: kept, it would hand out the old ones instead of saying that a renewal failed.
        const provider = fromInstanceMetadata({ timeout: timeoutMs, maxRetries: retriesMax, logger: quiet });
        return { identity: await provider(), source: 'instance role' };
      } catch (error) {
        const absent = instanceAbsence(error);
        if (absent !== undefined) return { absent };
        throw sourceFailure(error, { source: 'instance role', remedy });
      }
    },
  };
}

function absentSource(absent: string): CredentialSource {
  return { files: [], resolve: async () => ({ absent }) };
}

function sourceOf(source: string, remedy: string, provide: () => Promise<AwsIdentity>): CredentialSource {
  return {
    files: [],
    async resolve() {
      try {
        return { identity: await provide(), source };
      } catch (error) {
        throw sourceFailure(error, { source, remedy });
      }
    },
  };
}

/** The providers would write to the console otherwise. */
const quiet = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
