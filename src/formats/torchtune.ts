import type { WatchedPath } from '../domain/watched-path.ts';
import { checkpointDirectories, checkpointEntries } from './parts/checkpoints.ts';
import { knownConfig, rawConfig } from './parts/config-fields.ts';
import { FactCollector } from './parts/fact-collector.ts';
import { joinHistories } from './parts/join-histories.ts';
import { readTime } from './parts/read-time.ts';
import { parseSafeYaml, type SafeYaml, yamlBytesMax } from './parts/safe-yaml.ts';
import { readTorchtuneLine, TorchtuneLog } from './parts/torchtune-log.ts';
import { type FormatReader, nothing, type ReadFile } from './reader.ts';

/** Output directories of torchtune: its configuration, written when it starts, and its log on disk. It marks no end. */

const configName = 'torchtune_config.yaml';
const logPath = /^(?:logs?\/)?log_(\d{10})\.(?:txt|jsonl)$/;
const logsMax = 32;

export const torchtuneReader: FormatReader = {
  name: 'torchtune',

  recognise({ name, names, below }) {
    // A checkpoint keeps a copy of the configuration.
    if (/^(?:epoch|step)_\d{1,9}$/.test(name)) return undefined;
    const own = [...names].filter((one) => logPath.test(one));
    const inLogs = [...below('logs')].map((one) => `logs/${one}`).filter((one) => logPath.test(one));
    const paths = [...(names.has(configName) ? [configName] : []), ...[...own, ...inLogs].sort()];
    const [reason] = paths;
    return reason === undefined
      ? undefined
      : { confidence: 'likely', reason, proof: { paths: paths.slice(0, 4), bytesMax: 64 * 1024, believe } };
  },

  looksInto: /^logs$/,

  select(files) {
    const config = files.filter(({ path }) => path === configName);
    const logs = files.filter(({ path }) => logPath.test(path));
    const newest = logs.toSorted((a, b) => begunAt(a.path) - begunAt(b.path)).slice(-logsMax);
    return [
      ...config.map(({ path }) => ({
        manner: 'whole' as const,
        path,
        keep: 'companion' as const,
        bytesMax: yamlBytesMax + 1,
        parse: (bytes: Buffer) => parseSafeYaml(bytes),
      })),
      ...newest.map(({ path }) => ({
        manner: 'append' as const,
        path,
        keep: 'companion' as const,
        follow: () => new TorchtuneLog(),
      })),
    ];
  },

  assess(read, session) {
    const config = read.find(({ path, parsed }) => path === configName && parsed !== undefined);
    const logs = logsOf(read);
    const source = logs[0]?.path ?? config?.path;
    if (source === undefined) return nothing;
    const facts = new FactCollector();
    facts.session('framework', 'torchtune', source);
    const [first] = logs;
    if (first) facts.session('startedAt', readTime(begunAt(first.path))?.iso, first.path);
    // `parse` gave it.
    if (config) takeConfig(config.parsed as SafeYaml, facts);
    takeLogs(logs, facts);
    const checkpoints = checkpointDirectories(session.files, /^epoch_(\d{1,9})$/, () => true);
    const checkpointsSaved = checkpointEntries(checkpoints);
    if (checkpointsSaved) facts.results({ checkpointsSaved }, checkpoints.at(-1)?.mark ?? '');
    return facts.assessment();
  },
};

function believe(bytes: Buffer, path: WatchedPath): boolean {
  const text = bytes.toString('utf8');
  if (path === configName) return /^\s{0,32}_component_:/m.test(text);
  return text.split('\n', 8).some((line) => readTorchtuneLine(line) !== undefined);
}

interface Log {
  readonly path: WatchedPath;
  readonly rows: TorchtuneLog;
}

/** One for every start, oldest first. */
function logsOf(read: readonly ReadFile[]): Log[] {
  return read
    .flatMap(({ path, segments }) => {
      const rows = segments?.findLast((segment) => segment instanceof TorchtuneLog && segment.rowCount > 0);
      return rows instanceof TorchtuneLog ? [{ path, rows }] : [];
    })
    .sort((a, b) => begunAt(a.path) - begunAt(b.path) || (a.path < b.path ? -1 : 1));
}

function takeConfig({ value, warnings }: SafeYaml, facts: FactCollector): void {
  for (const warning of warnings) facts.warn(configName, warning);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  const { raw, warning } = rawConfig(value);
  if (warning !== undefined) facts.warn(configName, warning);
  facts.config({ ...knownConfig(value), ...(raw && { raw }) }, configName);
}

function takeLogs(logs: readonly Log[], facts: FactCollector): void {
  for (const { path, rows } of logs.toReversed()) {
    for (const warning of rows.warnings()) facts.warn(path, warning);
    const { lastStep } = rows;
    if (lastStep !== undefined) facts.results({ stepsCompleted: lastStep }, path);
    facts.metrics(rows.lastValues, path);
  }
  const histories = logs.flatMap(({ rows }) => rows.history ?? []);
  facts.history(joinHistories(histories), logs.at(-1)?.path ?? '');
}

function begunAt(path: WatchedPath): number {
  return Number(logPath.exec(path)?.[1] ?? 0);
}
