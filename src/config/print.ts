import { stringify } from 'yaml';
import type { LoadedConfig } from './assemble.ts';
import { type OptionKey, optionKeys, optionOf, variableOf } from './schema.ts';
import type { Plain } from './value-types.ts';

/**
 * The effective configuration as YAML that can be read back, each key with the place that set it.
 * Credentials are named by their place and never printed.
 */
export function printConfig(loaded: LoadedConfig): string {
  const head = [
    '# The effective configuration of trainlogd, each value with the place that set it',
    ...(loaded.configFile === undefined ? [] : [`# File: ${loaded.configFile}`]),
    `# Credentials: ${describeCredentials(loaded)}`,
  ];
  const body = bySection((key) => {
    const value = loaded.values[key];
    const source = loaded.sources[key].at;
    if (value === undefined) return [`  # ${lastPart(key)}: unset`];
    const lines = indented(key, optionOf(key).type.print(value));
    return lines.length === 1 ? lines.map((line) => `${line}  # ${source}`) : [`  # ${source}`, ...lines];
  });
  return `${[...head, ...body].join('\n')}\n`;
}

/** The same for programs: the frozen configuration (units in the names), sources by key, warnings. */
export function printConfigJson(loaded: LoadedConfig): string {
  const sources = Object.fromEntries(optionKeys.map((key) => [key, loaded.sources[key].at]));
  const { config, warnings } = loaded;
  return `${JSON.stringify({ config, sources, credentials: describeCredentials(loaded), warnings }, null, 2)}\n`;
}

/** The reference file with every option, its documentation and its default: `config/trainlogd.yaml`. */
export function printReference(): string {
  const head = [
    '# Every option of trainlogd with its default. All are optional: uncomment (remove one "#") what you change.',
    '# Read from --config, $TRAINLOGD_CONFIG or /etc/trainlogd/config.yaml. Every key is also a variable, named',
    '# in brackets, in the environment or a .env file. Flags go before variables, variables before this file.',
    "# The guide's variables work as they stand: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,",
    '# AWS_REGION, S3_BUCKET_NAME, AWS_ENDPOINT_URL_S3.',
    '# Durations: 500ms, 2s, 1m, 2h, 7d. Sizes: 123B, 64KiB, 8MiB, 10GiB, 5MB.',
  ];
  return `${[...head, ...bySection(referenceLines)].join('\n')}\n`;
}

function referenceLines(key: OptionKey): string[] {
  const { doc, type, computed, default: standard, example } = optionOf(key);
  const shown = standard ?? example ?? '';
  const origin = standard === undefined ? [`  # Default: ${computed ?? 'none'}`] : [];
  return [
    '',
    `  # ${doc} [${variableOf(key)}]`,
    `  # Accepted: ${type.accepts}`,
    ...origin,
    ...indented(key, shown).map((line) => line.replace(/^ {2}/, '  #')),
  ];
}

function bySection(linesOf: (key: OptionKey) => readonly string[]): string[] {
  const sections = Map.groupBy(optionKeys, (key) => key.slice(0, key.indexOf('.')));
  return [...sections].flatMap(([section, keys]) => ['', `${section}:`, ...keys.flatMap(linesOf)]);
}

function indented(key: OptionKey, value: Plain): string[] {
  const yaml = stringify({ [lastPart(key)]: value }, { lineWidth: 0 }).trimEnd();
  return yaml.split('\n').map((line) => `  ${line}`);
}

function lastPart(key: OptionKey): string {
  return key.slice(key.indexOf('.') + 1);
}

function describeCredentials({ config, credentialsAt }: LoadedConfig): string {
  if (config.destination.kind === 'directory') return 'none needed';
  return credentialsAt ?? "the SDK's own chain (roles, profiles)";
}
