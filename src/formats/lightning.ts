import type { CheckpointEntry } from '../domain/session-log.ts';
import { displayPath, type WatchedPath } from '../domain/watched-path.ts';
import { checkpointsMax } from './parts/checkpoints.ts';
import { knownConfig, rawConfig } from './parts/config-fields.ts';
import { decodeText } from './parts/decode-text.ts';
import { eventFilesAmong } from './parts/event-files.ts';
import { FactCollector } from './parts/fact-collector.ts';
import { LightningMetrics } from './parts/lightning-metrics.ts';
import { parseSafeYaml, type SafeYaml, yamlBytesMax } from './parts/safe-yaml.ts';
import {
  type DirectoryView,
  type FileInfo,
  type FormatReader,
  nothing,
  type ReadFile,
  type Recognition,
  type Selection,
} from './reader.ts';

/** `<name>/version_N` of PyTorch Lightning's loggers. Nothing in it says that a training has ended. */

const metricsName = 'metrics.csv';
const hparamsName = 'hparams.yaml';
const checkpointFile = /^checkpoints\/(?:[^/]{1,255}\/){0,3}[^/]{1,255}\.ckpt$/;

export const lightningReader: FormatReader = {
  name: 'lightning',

  recognise(directory) {
    return byVersion(directory) ?? byMetrics(directory);
  },

  select(files) {
    return [...select(files)];
  },

  assess(read, session) {
    const metrics = newestMetrics(read);
    const hparams = read.find(({ path, parsed }) => path === hparamsName && parsed !== undefined);
    const checkpoints = session.files.filter(({ path }) => checkpointFile.test(path));
    if (!metrics && !hparams && checkpoints.length === 0) return nothing;
    const facts = new FactCollector();
    const source = metrics?.path ?? hparams?.path ?? checkpoints[0]?.path ?? '';
    facts.session('framework', 'pytorch-lightning', source);
    // `parse` gave it.
    if (hparams) takeHparams(hparams.path, hparams.parsed as SafeYaml, facts);
    if (metrics) takeMetrics(metrics.path, metrics.rows, facts);
    const checkpointsSaved = entries(checkpoints);
    if (checkpointsSaved.length > 0) facts.results({ checkpointsSaved }, checkpoints.at(-1)?.path ?? '');
    return facts.assessment();
  },
};

function byVersion({ name, names, below }: DirectoryView): Recognition | undefined {
  if (!/^version_\d{1,9}$/.test(name)) return undefined;
  const mark = [metricsName, hparamsName].find((one) => names.has(one));
  if (mark !== undefined) return { confidence: 'certain', reason: mark };
  const isWritten = eventFilesAmong(names, '').length > 0 || below('checkpoints').size > 0;
  return isWritten ? { confidence: 'certain', reason: name } : undefined;
}

/** A logger with a name of its own for its version. */
function byMetrics({ names }: DirectoryView): Recognition | undefined {
  if (!names.has(metricsName)) return undefined;
  const proof = { paths: [metricsName], bytesMax: 8192, believe: looksLikeMetrics };
  return { confidence: 'likely', reason: metricsName, proof };
}

/** The two columns that the logger adds to every row. */
function looksLikeMetrics(bytes: Buffer): boolean {
  const [header = ''] = decodeText(bytes).text.split('\n', 1);
  const names = header.split(',').map((name) => name.trim());
  return names.includes('epoch') && names.includes('step');
}

function* select(files: readonly FileInfo[]): Generator<Selection> {
  for (const { path } of files) {
    if (path === metricsName) {
      yield { manner: 'append', path, keep: 'companion', follow: () => new LightningMetrics() };
    }
    if (path === hparamsName) {
      const parse = (bytes: Buffer) => parseSafeYaml(bytes);
      yield { manner: 'whole', path, keep: 'companion', bytesMax: yamlBytesMax + 1, parse };
    }
  }
}

/** With a new column the whole file is written anew, all rows in it: what came before is in there, or another run's. */
function newestMetrics(read: readonly ReadFile[]): { path: WatchedPath; rows: LightningMetrics } | undefined {
  const file = read.find(({ path, segments }) => path === metricsName && segments !== undefined);
  const rows = file?.segments?.findLast(
    (segment): segment is LightningMetrics => segment instanceof LightningMetrics && segment.isBelievable,
  );
  return file && rows && { path: file.path, rows };
}

function takeHparams(path: WatchedPath, { value, warnings }: SafeYaml, facts: FactCollector): void {
  for (const warning of warnings) facts.warn(path, warning);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  const { raw, warning } = rawConfig(value);
  if (warning !== undefined) facts.warn(path, warning);
  facts.config({ ...knownConfig(value), ...(raw && { raw }) }, path);
}

function takeMetrics(path: WatchedPath, rows: LightningMetrics, facts: FactCollector): void {
  for (const warning of rows.warnings()) facts.warn(path, warning);
  const { stepsCompleted, epochsCompleted } = rows;
  facts.results(
    {
      ...(stepsCompleted !== undefined && { stepsCompleted }),
      ...(epochsCompleted !== undefined && { epochsCompleted }),
    },
    path,
  );
  facts.metrics(rows.lastValues, path);
  facts.history(rows.history, path);
}

/** A checkpoint is a file; with sharded strategies a directory that is named like one. */
function entries(files: readonly FileInfo[]): CheckpointEntry[] {
  const oldestFirst = files.toSorted((a, b) => a.modifiedAtMs - b.modifiedAtMs || (a.path < b.path ? -1 : 1));
  return oldestFirst.slice(-checkpointsMax).map(({ path, sizeBytes, modifiedAtMs }) => {
    const savedAt = new Date(modifiedAtMs);
    return {
      path: displayPath(path),
      bytes: sizeBytes,
      ...(!Number.isNaN(savedAt.getTime()) && { savedAt: savedAt.toISOString() }),
    };
  });
}
