import { isJsonObject, type JsonObject, type JsonValue } from '../../domain/json.ts';
import type { WatchedPath } from '../../domain/watched-path.ts';
import { amount, knownConfig, rawConfig, text } from './config-fields.ts';
import type { FactCollector } from './fact-collector.ts';
import { readTime } from './read-time.ts';
import { unwrapConfig } from './wandb-items.ts';
import type { WandbFollower } from './wandb-records.ts';

const metricsMax = 256;

/** One run of wandb: what was read of its directory. */
export interface WandbRun {
  readonly log?: WandbFollower;
  readonly logPath?: WatchedPath;
  readonly logModifiedAtMs?: number;
  /** By name below `files/`. */
  readonly documents: ReadonlyMap<string, { readonly path: WatchedPath; readonly value: JsonValue }>;
}

export function takeRun(facts: FactCollector, { log, logPath, documents }: WandbRun): void {
  if (log && logPath !== undefined) takeLog(facts, log, logPath);
  const config = documents.get('config.yaml');
  if (config) takeConfig(facts, unwrapConfig(config.value), config.path);
  const summary = documents.get('wandb-summary.json');
  if (summary && isJsonObject(summary.value)) takeSummary(facts, summary.value, summary.path);
  const metadata = documents.get('wandb-metadata.json');
  if (metadata && isJsonObject(metadata.value)) takeMetadata(facts, metadata.value, metadata.path);
}

function takeLog(facts: FactCollector, log: WandbFollower, path: WatchedPath): void {
  if (log.startedAtMs !== undefined) facts.session('startedAt', readTime(log.startedAtMs)?.iso, path);
  takeConfig(facts, log.config, path);
  const { exit, trainerStep } = log;
  const seconds = exit?.runtimeSeconds;
  if (seconds !== undefined && seconds >= 0) facts.results({ durationSeconds: seconds }, path);
  if (trainerStep !== undefined && Number.isSafeInteger(trainerStep) && trainerStep >= 0) {
    facts.results({ stepsCompleted: trainerStep }, path);
  }
  const metrics = Object.fromEntries([...log.summary].filter(([key]) => !key.startsWith('_')));
  facts.metrics(metrics, path);
  for (const warning of log.warnings()) facts.warn(path, warning);
}

function takeConfig(facts: FactCollector, config: ReadonlyMap<string, JsonValue>, path: WatchedPath): void {
  const document: JsonObject = Object.fromEntries(config);
  const { raw, warning } = rawConfig(document);
  facts.config({ ...knownConfig(document), ...(raw && { raw }) }, path);
  if (warning !== undefined) facts.warn(path, warning);
}

function takeSummary(facts: FactCollector, summary: JsonObject, path: WatchedPath): void {
  const metrics = Object.entries(summary).flatMap(([key, value]) =>
    !key.startsWith('_') && (typeof value === 'number' || typeof value === 'string')
      ? [[key, value] as const]
      : [],
  );
  facts.metrics(Object.fromEntries(metrics.slice(0, metricsMax)), path);
  const own = summary['_wandb'];
  const seconds = amount(isJsonObject(own) ? own['runtime'] : summary['_runtime']);
  if (seconds !== undefined) facts.results({ durationSeconds: seconds }, path);
}

/** Its `email` is left where it is, and so is `gpu_count`: that counts what the machine has, not what the run was given. */
function takeMetadata(facts: FactCollector, metadata: JsonObject, path: WatchedPath): void {
  const startedAt = readTime(metadata['startedAt'] ?? null)?.iso;
  facts.session('startedAt', startedAt, path);
  const username = text(metadata['username']);
  if (username !== undefined) facts.user({ username }, path);
  const gpuType = text(metadata['gpu']);
  if (gpuType !== undefined && gpuType !== '[]') facts.pod({ gpuType }, path);
}
