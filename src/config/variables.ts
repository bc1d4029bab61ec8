import { cleanValue, parseDotenv } from './dotenv.ts';
import { nearest } from './nearest.ts';
import type { Findings } from './problem.ts';
import { optionKeys, variableOf } from './schema.ts';
import type { Source } from './source.ts';

/** A variable that is set: not empty, quotes and spaces around it removed. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  readonly source: Source;
}
export type Variables = ReadonlyMap<string, Variable>;

/** The guide's variables, and those that the guide's readers also have. */
export const guideNames = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_CREDENTIAL_EXPIRATION',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'S3_BUCKET_NAME',
  'AWS_ENDPOINT_URL_S3',
  'AWS_ENDPOINT_URL',
] as const;

const prefix = 'TRAINLOGD_';
const ownNames = new Set<string>([...optionKeys.map(variableOf), `${prefix}CONFIG`]);
// A Kubernetes Service or a linked container named trainlogd sets these in every pod beside it.
const serviceLinks =
  /^TRAINLOGD_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?|NAME)$/;

/** The variables of the environment that concern us. Unknown `TRAINLOGD_` names are problems. */
export function environmentVariables(
  environment: Readonly<Record<string, string | undefined>>,
  findings: Findings,
): Variables {
  const variables = new Map<string, Variable>();
  for (const [name, raw] of Object.entries(environment)) {
    if (raw === undefined || !concernsUs(name)) continue;
    add(variables, name, raw, { layer: 'environment', at: `environment (${name})` }, findings);
  }
  return variables;
}

/** The variables of a `.env` file that concern us. `file` is how messages name it. */
export function dotenvVariables(text: string, file: string, findings: Findings): Variables {
  const variables = new Map<string, Variable>();
  const { entries, misfits } = parseDotenv(text);
  for (const { name, line } of misfits.filter((misfit) => concernsUs(misfit.name)))
    findings.problems.push({
      key: name,
      problem: 'no "=" behind the name: write NAME=value',
      at: `${file}:${line}`,
    });
  for (const { name, raw, line, spaced } of entries.filter((entry) => concernsUs(entry.name))) {
    const at = `${file}:${line} (${name})`;
    if (spaced)
      findings.warnings.push(`${at}: spaces before "=" were removed; a shell would not accept them`);
    if (variables.has(name)) findings.warnings.push(`${at}: set for the second time; the last one counts`);
    variables.delete(name);
    add(variables, name, raw, { layer: 'dotenv', at }, findings);
  }
  return variables;
}

function concernsUs(name: string): boolean {
  if (guideNames.some((guideName) => guideName === name)) return true;
  return name.startsWith(prefix) && !name.startsWith(`${prefix}TEST_`) && !serviceLinks.test(name);
}

function add(
  variables: Map<string, Variable>,
  name: string,
  raw: string,
  source: Source,
  { problems, warnings }: Findings,
): void {
  const clean = cleanValue(raw);
  if ('problem' in clean) {
    problems.push({ key: name, problem: clean.problem, at: source.at });
    return;
  }
  if (clean.value === '') return;
  if (name.startsWith(prefix) && !ownNames.has(name)) {
    problems.push({ key: name, problem: unknownVariable(name), at: source.at });
    return;
  }
  if (clean.removed.length > 0)
    warnings.push(`${source.at}: ${clean.removed.join(' and ')} around the value were removed`);
  variables.set(name, { name, value: clean.value, source });
}

function unknownVariable(name: string): string {
  // Without the common prefix, which would make every name look near.
  const near = nearest(
    name.slice(prefix.length),
    [...ownNames].map((own) => own.slice(prefix.length)),
  );
  return `unknown variable${near === undefined ? '' : `; did you mean ${prefix}${near}?`}`;
}
