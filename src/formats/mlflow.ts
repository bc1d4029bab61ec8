import type { JsonObject } from '../domain/json.ts';
import type { WatchedPath } from '../domain/watched-path.ts';
import { knownConfig, rawConfig, text } from './parts/config-fields.ts';
import { decodeText } from './parts/decode-text.ts';
import { FactCollector } from './parts/fact-collector.ts';
import { joinHistories } from './parts/join-histories.ts';
import { closingMs, wentOnAfter } from './parts/later-activity.ts';
import { MetricFollower } from './parts/mlflow-metric.ts';
import { isRunMeta, metaBytesMax, parseMeta, type RunMeta } from './parts/mlflow-run.ts';
import {
  type Ending,
  type FileInfo,
  type FormatReader,
  nothing,
  type ReadFile,
  type Selection,
  UnreadableFile,
} from './reader.ts';

/**
 * MLflow's file store (mlflow/store/tracking/file_store.py): `mlruns/<experiment>/<run>/` with meta.yaml and one file a
 * parameter, metric and tag, whose path below is its name. A tracker: it says no framework.
 */

const metaFile = 'meta.yaml';
const paramsMax = 256;
const metricsMax = 48;
const tagsMax = 16;
const valueBytesMax = 16 * 1024;

export const mlflowReader: FormatReader = {
  name: 'mlflow',

  recognise({ names }) {
    const isRun = ['params', 'metrics', 'tags', 'artifacts'].some((one) => names.has(one));
    if (!names.has(metaFile) || !isRun) return undefined;
    const proof = { paths: [metaFile], bytesMax: 4096, believe: isRunMeta };
    return { confidence: 'likely', reason: metaFile, proof };
  },

  select(files) {
    if (!files.some(({ path }) => path === metaFile)) return [];
    const below = (folder: string, countMax: number) =>
      files.filter(({ path }) => path.startsWith(folder)).slice(0, countMax);
    const tags = files.filter(({ path }) => path.startsWith('tags/mlflow.'));
    return [
      { manner: 'whole', path: metaFile, keep: 'companion', bytesMax: metaBytesMax, parse: parseMeta },
      ...[...below('params/', paramsMax), ...tags.slice(0, tagsMax)].map(({ path }) => valueSelection(path)),
      ...below('metrics/', metricsMax).map(({ path }) => metricSelection(path)),
    ];
  },

  assess(read, session) {
    const meta = read.find(({ path }) => path === metaFile);
    const run = meta?.parsed as RunMeta | undefined;
    if (meta === undefined || run === undefined) return nothing;
    const facts = new FactCollector();
    facts.session('startedAt', run.startedAt, metaFile);
    facts.session('endedAt', run.endedAt, metaFile);
    if (run.durationSeconds !== undefined) facts.results({ durationSeconds: run.durationSeconds }, metaFile);
    if (run.isDeleted) facts.warn(metaFile, 'lifecycle_stage is deleted');
    takeTags(facts, read);
    if (run.user !== undefined) facts.user({ username: run.user }, metaFile);
    takeParams(facts, read);
    takeMetrics(facts, read);
    return facts.assessment(endingOf(run, meta, session.files));
  },
};

function valueSelection(path: WatchedPath): Selection {
  return { manner: 'whole', path, keep: 'companion', bytesMax: valueBytesMax, parse: parseValue };
}

function parseValue(bytes: Buffer, { complete }: { complete: boolean }): string {
  if (!complete) throw new UnreadableFile(`more than the ${valueBytesMax} bytes that are read`);
  return decodeText(bytes).text.trimEnd();
}

function metricSelection(path: WatchedPath): Selection {
  return { manner: 'append', path, keep: 'companion', follow: () => new MetricFollower(nameOf(path)) };
}

/** `metrics/val/loss` is the metric `val/loss`. */
function nameOf(path: WatchedPath): string {
  return path.slice(path.indexOf('/') + 1);
}

function takeTags(facts: FactCollector, read: readonly ReadFile[]): void {
  const value = (name: string) =>
    text(read.find(({ path }) => path === `tags/${name}`)?.parsed as string | undefined);
  const username = value('mlflow.user');
  if (username !== undefined) facts.user({ username }, 'tags/mlflow.user');
  facts.session('version', value('mlflow.source.git.commit'), 'tags/mlflow.source.git.commit');
}

function takeParams(facts: FactCollector, read: readonly ReadFile[]): void {
  const found = read.flatMap(({ path, parsed }) =>
    path.startsWith('params/') && typeof parsed === 'string' ? [[nameOf(path), parsed] as const] : [],
  );
  const document: JsonObject = Object.fromEntries(found);
  for (const [field, value] of Object.entries(knownConfig(document))) {
    // Each parameter is a file of its own.
    const from = found.find(([name, written]) =>
      Object.entries(knownConfig({ [name]: written })).some(
        ([ownField, ownValue]) => ownField === field && ownValue === value,
      ),
    )?.[0];
    if (from !== undefined) facts.config({ [field]: value }, `params/${from}`);
  }
  const { raw = {}, warning } = rawConfig(document);
  for (const [name, value] of Object.entries(raw)) facts.raw(name, value, `params/${name}`);
  if (warning !== undefined) facts.warn(metaFile, warning);
}

function takeMetrics(facts: FactCollector, read: readonly ReadFile[]): void {
  const metrics = read.flatMap(({ path, segments }) => {
    const metric = path.startsWith('metrics/') ? (segments?.at(-1) as MetricFollower | undefined) : undefined;
    return metric ? [{ path, metric }] : [];
  });
  for (const { path, metric } of metrics) {
    if (metric.last !== undefined) facts.metrics({ [nameOf(path)]: metric.last }, path);
    for (const warning of metric.warnings()) facts.warn(path, warning);
  }
  const [first] = metrics;
  const histories = metrics.flatMap(({ metric }) => metric.history.build() ?? []);
  if (first) facts.history(joinHistories(histories, true), first.path);
}

/** mlflow.entities.RunStatus: 1 running, 2 scheduled, 3 finished, 4 failed, 5 killed. */
function endingOf(run: RunMeta, meta: ReadFile, files: readonly FileInfo[]): Ending | undefined {
  const statuses: Readonly<Record<string, Ending['status']>> = {
    3: 'completed',
    4: 'failed',
    5: 'cancelled',
    FINISHED: 'completed',
    FAILED: 'failed',
    KILLED: 'cancelled',
  };
  const status = Object.hasOwn(statuses, run.status) ? statuses[run.status] : undefined;
  const isMetricLater = files.some(
    ({ path, modifiedAtMs }) => path.startsWith('metrics/') && wentOn(modifiedAtMs, meta.modifiedAtMs),
  );
  if (status === undefined || isMetricLater || wentOnAfter(meta.modifiedAtMs, files)) return undefined;
  return { status, by: metaFile, ...(run.endedAt !== undefined && { endedAt: run.endedAt }) };
}

function wentOn(ms: number, thanMs: number): boolean {
  return ms > thanMs + closingMs;
}
