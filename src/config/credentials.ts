import type { CredentialPlaces, Credentials } from './config.ts';
import type { Surroundings } from './paths.ts';
import type { Findings } from './problem.ts';
import type { Variable, Variables } from './variables.ts';

export interface FoundCredentials {
  readonly credentials: Credentials;
  /** Where the key pair was set, without any of it. */
  readonly at: string;
  /** Whether any of it stands in the `.env` file. */
  readonly inFile: boolean;
}

const idName = 'AWS_ACCESS_KEY_ID';
const secretName = 'AWS_SECRET_ACCESS_KEY';
const tokenName = 'AWS_SESSION_TOKEN';
/** As AWS's own tools give it with a temporary key: `aws configure export-credentials --format env`. */
const expirationName = 'AWS_CREDENTIAL_EXPIRATION';

/**
 * The guide's key pair. A pair that the environment holds whole is never mixed with the `.env` file's
 * session token: that would be two identities in one. No message repeats a value.
 */
export function findCredentials(
  environment: Variables,
  dotenv: Variables,
  findings: Findings,
): FoundCredentials | undefined {
  const whole = environment.has(idName) && environment.has(secretName);
  const find = (name: string) => environment.get(name) ?? (whole ? undefined : dotenv.get(name));
  const [id, secret, token] = [find(idName), find(secretName), find(tokenName)];
  for (const variable of [id, secret, token]) checkSpaces(variable, findings);
  if (!id || !secret) {
    reportHalf(id ?? secret, id ? secretName : idName, token, findings);
    return undefined;
  }
  if (id.value.startsWith('ASIA') && !token)
    findings.warnings.push(`${id.source.at}: a temporary access key without ${tokenName} will be refused`);
  return {
    credentials: Object.freeze({
      accessKeyId: id.value,
      secretAccessKey: secret.value,
      ...(token && { sessionToken: token.value }),
      ...readExpiration(find(expirationName), findings),
    }),
    at: [...new Set([id.source.at, secret.source.at])].join(', '),
    inFile: [id, secret, token].some((variable) => variable?.source.layer === 'dotenv'),
  };
}

/** What may be looked at again while we run: the `.env` file for the pair, and the places of AWS's own tools. */
export function credentialPlaces(
  found: FoundCredentials | undefined,
  parts: Pick<Surroundings, 'homeDirectory'> & {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly environment: Variables;
    readonly dotenvFile: DotenvFile;
  },
): CredentialPlaces {
  const { env, homeDirectory, environment, dotenvFile } = parts;
  const own = Object.entries(env).filter(([name]) => name.startsWith('AWS_'));
  const read = () => (found?.inFile ? readAgain(environment, dotenvFile) : (found?.credentials ?? ''));
  return {
    env: Object.fromEntries(own),
    homeDirectory,
    keyPair: found && { file: found.inFile ? dotenvFile.path : undefined, read },
  };
}

/** The `.env` file, to be read again. */
export interface DotenvFile {
  readonly path: string;
  readonly read: (findings: Findings) => Variables | string;
}

function readAgain(environment: Variables, { path, read }: DotenvFile): Credentials | string {
  const findings: Findings = { problems: [], warnings: [] };
  const dotenv = read(findings);
  if (typeof dotenv === 'string') return `${path}: ${dotenv}`;
  const found = findCredentials(environment, dotenv, findings);
  const problem = findings.problems.find(({ key }) => [idName, secretName, tokenName].includes(key ?? ''));
  if (problem) return `${problem.at ?? path}: ${problem.key}: ${problem.problem}`;
  return found?.credentials ?? `${path}: it no longer sets ${idName} and ${secretName}`;
}

/** The texts that no output may hold, the ones that were refused included. */
export function secretTexts(...places: readonly Variables[]): readonly string[] {
  return places.flatMap((variables) =>
    [secretName, tokenName].flatMap((name) => variables.get(name)?.value ?? []),
  );
}

function readExpiration(said: Variable | undefined, { warnings }: Findings): Pick<Credentials, 'expiration'> {
  if (said === undefined) return {};
  const expiration = new Date(said.value);
  if (!Number.isNaN(expiration.getTime())) return { expiration };
  warnings.push(`${said.source.at}: ignored, since it is no time such as 2026-01-31T12:00:00Z`);
  return {};
}

function reportHalf(
  half: Variable | undefined,
  missing: string,
  token: Variable | undefined,
  { problems, warnings }: Findings,
): void {
  if (half) {
    const problem = `set without ${missing}: set both, or neither to use the SDK's own chain (roles, profiles)`;
    problems.push({ key: half.name, problem, at: half.source.at });
  } else if (token)
    warnings.push(`${token.source.at}: ignored, since neither ${idName} nor ${secretName} is set`);
}

function checkSpaces(variable: Variable | undefined, { problems }: Findings): void {
  if (variable && /\s/.test(variable.value))
    problems.push({ key: variable.name, problem: 'white space inside the value', at: variable.source.at });
}
