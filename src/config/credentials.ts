import type { Credentials } from './config.ts';
import type { Findings } from './problem.ts';
import type { Variable, Variables } from './variables.ts';

export interface FoundCredentials {
  readonly credentials: Credentials;
  /** Where the key pair was set, without any of it. */
  readonly at: string;
}

const idName = 'AWS_ACCESS_KEY_ID';
const secretName = 'AWS_SECRET_ACCESS_KEY';
const tokenName = 'AWS_SESSION_TOKEN';

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
    }),
    at: [...new Set([id.source.at, secret.source.at])].join(', '),
  };
}

/** The texts that no output may hold, the ones that were refused included. */
export function secretTexts(...places: readonly Variables[]): readonly string[] {
  return places.flatMap((variables) =>
    [secretName, tokenName].flatMap((name) => variables.get(name)?.value ?? []),
  );
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
