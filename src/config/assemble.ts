import type { Config, Destination } from './config.ts';
import { credentialPlaces, type DotenvFile, type FoundCredentials, findCredentials } from './credentials.ts';
import { checkpointGlobs } from './default-globs.ts';
import { buildDestination } from './destination.ts';
import { deepFreeze } from './freeze.ts';
import { absolutePath, defaultStateDirectory, hashFolder, isWithin, type Surroundings } from './paths.ts';
import { type ConfigRemains, type Findings, quoteValue } from './problem.ts';
import { type Resolved, resolveOptions, variableLayer } from './resolve.ts';
import type { OptionKey, Values } from './schema.ts';
import type { Layer, Setting, Source } from './source.ts';
import { printDuration } from './units.ts';
import type { Variable, Variables } from './variables.ts';

const dayMs = 86_400_000;

/** A configuration that holds, and where each part of it comes from. */
export interface LoadedConfig {
  readonly config: Config;
  readonly warnings: readonly string[];
  readonly sources: Readonly<Record<OptionKey, Source>>;
  /** Effective values by key; what is computed (bucket, region, paths) is filled in. */
  readonly values: Values;
  /** Where the key pair was set. Absent: the SDK's own chain, or no bucket. */
  readonly credentialsAt?: string;
  /** The YAML file that was read. */
  readonly configFile?: string;
  /** 12 hex digits that tell the watched folder from others. */
  readonly folderHash: string;
}

/** All that files and flags gave, before it is held against the options. */
export interface Parts extends Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly environment: Variables;
  readonly dotenv: Variables;
  readonly dotenvFile: DotenvFile;
  readonly yaml: Layer;
  readonly overrides: Layer;
  readonly configFile: string | undefined;
  readonly follow: (path: string) => string;
  readonly findings: Findings;
}

export interface Assembled {
  readonly loaded?: LoadedConfig;
  readonly remains: ConfigRemains;
}

/** The configuration of all parts; not loaded, or with problems in `findings`, when it does not hold. */
export function assemble(parts: Parts): Assembled {
  const { environment, dotenv, findings } = parts;
  const layers = [parts.overrides, variableLayer(environment), variableLayer(dotenv), parts.yaml];
  const resolved = resolveOptions([...layers, guideLayer(environment, dotenv)], findings);
  const watched = watchedDirectory(resolved, parts);
  const credentials = s3Credentials(resolved, parts);
  const variableNames = [...Object.keys(parts.env).filter((name) => parts.env[name]), ...dotenv.keys()];
  const places = credentialPlaces(credentials, parts);
  const destination = buildDestination({ ...parts, resolved, credentials, places, watched, variableNames });
  const state = stateDirectory(resolved, watched, parts);
  checkTogether(resolved, findings);
  checkLogBucket(resolved, destination, findings);
  const remains = {
    ...(destination && !isAddressRefused(findings) && { destination }),
    ...(watched !== undefined && { watchedDirectory: watched }),
    ...(state !== undefined && { stateDirectory: state }),
  };
  if (!destination || watched === undefined || state === undefined) return { remains };
  const loaded = {
    config: deepFreeze(toConfig(resolved.values, destination, watched, state)),
    warnings: findings.warnings,
    sources: resolved.sources,
    values: effective(resolved.values, destination, watched, state),
    folderHash: hashFolder(watched),
    ...(credentials && { credentialsAt: credentials.at }),
    ...(parts.configFile !== undefined && { configFile: parts.configFile }),
  };
  return { loaded, remains };
}

/** Another bucket or another server would be asked. */
const isAddressRefused = ({ problems }: Findings) =>
  problems.some(({ key }) => /^destination\.(url|endpoint|region)$/.test(key));

/** The guide's variables stand in for keys that nothing else sets: YAML goes before an ambient AWS_REGION. */
function guideLayer(environment: Variables, dotenv: Variables): Layer {
  const layer = new Map<string, Setting>();
  const put = (key: OptionKey, names: readonly string[], toRaw = (variable: Variable) => variable.value) => {
    const found = [environment, dotenv].flatMap((place) => names.flatMap((name) => place.get(name) ?? []))[0];
    if (found) layer.set(key, { raw: toRaw(found), source: found.source });
  };
  put('destination.url', ['S3_BUCKET_NAME'], ({ value }) =>
    value.startsWith('s3://') ? value : `s3://${value}`,
  );
  put('destination.region', ['AWS_REGION', 'AWS_DEFAULT_REGION']);
  put('destination.endpoint', ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL']);
  return layer;
}

/** A directory needs no credentials, so half a key pair beside it is nobody's problem. */
function s3Credentials(resolved: Resolved, parts: Parts): FoundCredentials | undefined {
  if (resolved.values['destination.url']?.startsWith('file:')) return undefined;
  return findCredentials(parts.environment, parts.dotenv, parts.findings);
}

function watchedDirectory({ values, settings, refused }: Resolved, parts: Parts): string | undefined {
  if (refused.has('watch.directory')) return undefined;
  const watched = absolutePath(values['watch.directory'], parts);
  if (watched === undefined) reportHomeless('watch.directory', settings, parts.findings);
  return watched;
}

function stateDirectory({ values, settings, refused }: Resolved, watched: string | undefined, parts: Parts) {
  const key = 'state.directory';
  const configured = values[key];
  if (watched === undefined || refused.has(key)) return undefined;
  const state =
    configured === undefined
      ? defaultStateDirectory(watched, parts.env, parts)
      : absolutePath(configured, parts);
  if (state === undefined) {
    reportHomeless(key, settings, parts.findings);
    return undefined;
  }
  if (isWithin(watched, state) || isWithin(parts.follow(watched), parts.follow(state)))
    parts.findings.problems.push({
      key,
      value: quoteValue(state),
      problem: `must lie outside the watched folder ${quoteValue(watched)}: set ${key}`,
      ...at(settings.get(key)),
    });
  return state;
}

function reportHomeless(key: OptionKey, settings: Layer, { problems }: Findings): void {
  problems.push({
    key,
    problem: 'needs a home directory and none is known: set an absolute path',
    ...at(settings.get(key)),
  });
}

function at(setting: Setting | undefined): { at?: string } {
  return setting ? { at: setting.source.at } : {};
}

function checkTogether({ values, settings, refused }: Resolved, { problems }: Findings): void {
  const [base, longest] = [values['retry.baseDelay'], values['retry.maxDelay']];
  if (base > longest && !refused.has('retry.baseDelay') && !refused.has('retry.maxDelay'))
    problems.push({
      key: 'retry.baseDelay',
      value: quoteValue(printDuration(base)),
      problem: `accepted: at most retry.maxDelay, which is ${printDuration(longest)}`,
      ...at(settings.get('retry.baseDelay')),
    });
}

/** Each log that is written would be logged in turn. */
function checkLogBucket(
  { values, settings }: Resolved,
  destination: Destination | undefined,
  { problems }: Findings,
): void {
  const key = 'bucket.accessLogBucket';
  const name = values[key];
  if (name === undefined || destination?.kind !== 's3' || destination.bucket !== name) return;
  const problem = 'must be another bucket than the one whose access is logged';
  problems.push({ key, value: quoteValue(name), problem, ...at(settings.get(key)) });
}

function effective(values: Values, destination: Destination, watched: string, state: string): Values {
  const paths = { ...values, 'watch.directory': watched, 'state.directory': state };
  if (destination.kind === 'directory') return paths;
  return {
    ...paths,
    'destination.url': `s3://${destination.bucket}`,
    'destination.region': destination.region,
    'destination.pathStyle': destination.pathStyle,
  };
}

function toConfig(values: Values, destination: Destination, watched: string, state: string): Config {
  const [user, pod] = [values['defaults.user'], values['defaults.pod']];
  const bandwidth = values['upload.bandwidthMax'];
  const [costPerHour, currency] = [values['defaults.costPerHour'], values['defaults.currency']];
  return {
    watch: {
      directory: watched,
      sessions: values['watch.sessions'],
      shared: values['watch.shared'],
      polling: values['watch.polling'],
      settleMs: values['watch.settle'],
      rescanMs: values['watch.rescan'],
      idleMs: values['watch.idle'],
      ignoreOlderThanMs: values['watch.ignoreOlderThan'],
    },
    companions: {
      include: values['companions.include'],
      exclude: values['companions.exclude'],
      checkpoints: checkpointGlobs,
      bytesMax: values['companions.bytesMax'],
      compression: values['companions.compression'],
    },
    sessionLog: {
      bytesMax: values['sessionLog.bytesMax'],
      snapshotEveryMs: values['sessionLog.snapshotEvery'],
    },
    destination,
    upload: {
      concurrency: values['upload.concurrency'],
      partSizeBytes: values['upload.partSize'],
      partConcurrency: values['upload.partConcurrency'],
      memoryBytesMax: values['upload.memoryMax'],
      ...(bandwidth !== undefined && { bandwidthBytesPerSecondMax: bandwidth }),
    },
    retry: { baseDelayMs: values['retry.baseDelay'], maxDelayMs: values['retry.maxDelay'] },
    state: { directory: state },
    retention: { localFiles: values['retention.localFiles'], keepForMs: values['retention.keepFor'] },
    drain: { timeoutMs: values['drain.timeout'] },
    defaults: {
      ...(user !== undefined && { user }),
      ...(pod !== undefined && { pod }),
      ...(costPerHour !== undefined && { costPerHour }),
      ...(currency !== undefined && { currency }),
    },
    probes: { cloudMetadata: values['probes.cloudMetadata'], providerApi: values['probes.providerApi'] },
    ...operating(values),
    log: { level: values['log.level'], format: values['log.format'] },
  };
}

function operating(values: Values): Pick<Config, 'report' | 'http' | 'bucket'> {
  const [accessLogBucket, expireAfterMs] = [values['bucket.accessLogBucket'], values['bucket.expireAfter']];
  const listen = /^\[?(.*?)\]?:(\d+)$/.exec(values['http.listen']);
  return {
    report: {
      schedule: values['report.schedule'],
      backlogAgeWarnMs: values['report.backlogAgeWarn'],
      credentialExpiryWarnMs: values['report.credentialExpiryWarn'],
    },
    http: {
      ...(listen && { listen: { address: listen[1] ?? '', port: Number(listen[2]) } }),
      pages: values['http.pages'],
    },
    bucket: {
      tags: values['bucket.tags'],
      ...(accessLogBucket !== undefined && { accessLogBucket }),
      ...(expireAfterMs !== undefined && { expireAfterDays: Math.ceil(expireAfterMs / dayMs) }),
    },
  };
}
