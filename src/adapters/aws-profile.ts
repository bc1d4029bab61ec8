import { accessSync, constants } from 'node:fs';
import { fromIni } from '@aws-sdk/credential-provider-ini';
import { loadSharedConfigFiles } from '@smithy/core/config';
import type { CredentialSource } from './aws-credential-chain.ts';
import { sourceFailure } from './aws-credentials-failure.ts';

export interface ProfileOptions {
  /** AWS_PROFILE; without it, the profile `default`. */
  readonly name: string | undefined;
  readonly credentialsFile: string | undefined;
  readonly configFile: string | undefined;
  readonly region: string;
}

type Profile = Readonly<Record<string, string | undefined>>;

/** What a profile that gives credentials has, and how such a profile is called. First match counts, as in the SDK. */
const kinds: readonly (readonly [string, string])[] = [
  ['source_profile', 'assumed role'],
  ['credential_source', 'assumed role'],
  ['aws_access_key_id', ''],
  ['aws_secret_access_key', ''],
  ['web_identity_token_file', 'web identity'],
  ['credential_process', 'process'],
  ['sso_account_id', 'SSO'],
  ['sso_session', 'SSO'],
  ['login_session', 'login'],
  ['role_arn', 'assumed role'],
];

/** The shared files of AWS's tools: keys, roles, SSO, processes. */
export function profileSource(options: ProfileOptions): CredentialSource {
  const { credentialsFile, configFile } = options;
  if (credentialsFile === undefined || configFile === undefined)
    return {
      files: [],
      resolve: async () => ({ absent: 'no home directory to look for .aws/credentials in' }),
    };
  const files = [credentialsFile, configFile];
  return { files, resolve: () => resolve(options, credentialsFile, configFile) };
}

async function resolve({ name, region }: ProfileOptions, credentialsFile: string, configFile: string) {
  const profile = name ?? 'default';
  // Kept by path, the files would never be read again.
  const where = { filepath: credentialsFile, configFilepath: configFile, ignoreCache: true };
  const loaded = await loadSharedConfigFiles(where);
  const inCredentials: Profile | undefined = loaded.credentialsFile[profile];
  const inConfig: Profile | undefined = loaded.configFile[profile];
  const found = { ...inConfig, ...inCredentials };
  const kind = kindOf(found);
  const file = kindOf(inCredentials ?? {}) === undefined && kind !== undefined ? configFile : credentialsFile;
  const source = `profile ${JSON.stringify(profile)} in ${file}${kind ? ` (${kind})` : ''}`;
  if (kind === undefined) {
    const absent =
      unreadable([credentialsFile, configFile]) ??
      `no profile ${JSON.stringify(profile)} in ${credentialsFile}`;
    // A profile of the config file that says no more than a region leaves it to roles.
    if (name === undefined || inConfig !== undefined) return { absent };
    const remedy = `correct AWS_PROFILE, or write the profile into ${credentialsFile}`;
    throw sourceFailure(new Error(absent), { source, code: 'ProfileNotFound', remedy });
  }
  try {
    const identity = await fromIni({ ...where, profile })({
      callerClientConfig: { region: async () => region },
    });
    return { identity, source };
  } catch (error) {
    throw sourceFailure(error, { source, remedy: remedyFor(kind, profile, file) });
  }
}

function kindOf(profile: Profile): string | undefined {
  return kinds.find(([key]) => profile[key] !== undefined)?.[1];
}

function unreadable(files: readonly string[]): string | undefined {
  for (const file of files) {
    try {
      accessSync(file, constants.R_OK);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      if (code !== 'ENOENT' && code !== 'ENOTDIR') return `${file} cannot be read, ${code}`;
    }
  }
  return undefined;
}

function remedyFor(kind: string, profile: string, file: string): string {
  const named = JSON.stringify(profile);
  switch (kind) {
    case 'SSO':
      return `sign in again as the user of this process: aws sso login --profile ${profile}`;
    case 'login':
      return `sign in again as the user of this process: aws login --profile ${profile}`;
    case 'process':
      return `run the credential_process of profile ${named} by hand, as the user of this process`;
    case 'assumed role':
      return `check role_arn and its source in profile ${named} of ${file}, and that the role trusts it; one with MFA cannot be used`;
    case 'web identity':
      return `check role_arn and web_identity_token_file in profile ${named} of ${file}`;
    default:
      return `set aws_access_key_id and aws_secret_access_key in profile ${named} of ${file}`;
  }
}
