import type { WatchedPath } from '../domain/watched-path.ts';
import { knownConfig, rawConfig } from './parts/config-fields.ts';
import { FactCollector } from './parts/fact-collector.ts';
import { LlamaFactoryLog } from './parts/llama-factory-log.ts';
import { parseSafeYaml, type SafeYaml, yamlBytesMax } from './parts/safe-yaml.ts';
import { type FileInfo, type FormatReader, nothing, type ReadFile, type Selection } from './reader.ts';

/**
 * What LLaMA-Factory writes beside what the Trainer below it does: trainer_log.jsonl as it goes, and from its web page
 * training_args.yaml and llamaboard_config.yaml. How it ended, the Trainer's files say.
 */

const logName = 'trainer_log.jsonl';
const argumentsName = 'training_args.yaml';
const boardName = 'llamaboard_config.yaml';

export const llamaFactoryReader: FormatReader = {
  name: 'llama-factory',

  recognise({ names }) {
    const paths = [logName, argumentsName].filter((name) => names.has(name));
    const [reason] = paths;
    if (reason === undefined) return undefined;
    return { confidence: 'likely', reason, proof: { paths, bytesMax: 4096, believe } };
  },

  select(files) {
    return [...select(files)];
  },

  assess(read, session) {
    const log = newestLog(read);
    const documents = [argumentsName, boardName].flatMap((name) => yamlOf(read, name));
    const isOurs = log !== undefined || documents.length > 0;
    if (!isOurs) return nothing;
    const facts = new FactCollector();
    facts.session('framework', 'llama-factory', log?.path ?? documents[0]?.path ?? '');
    for (const { path, yaml } of documents) takeDocument(path, yaml, facts);
    if (log) takeLog(log.path, log.rows, hasRuntime(session.files), facts);
    return facts.assessment();
  },
};

function believe(bytes: Buffer, path: WatchedPath): boolean {
  const text = bytes.toString('utf8');
  if (path === logName) return /^\s{0,64}\{[^{}]{0,512}"current_steps"\s{0,8}:/.test(text);
  return /^(?:finetuning_type|stage):/m.test(text);
}

function* select(files: readonly FileInfo[]): Generator<Selection> {
  for (const { path } of files) {
    if (path === logName) {
      yield { manner: 'append', path, keep: 'companion', follow: () => new LlamaFactoryLog() };
    }
    if (path === argumentsName || path === boardName) {
      const parse = (bytes: Buffer) => parseSafeYaml(bytes);
      yield { manner: 'whole', path, keep: 'companion', bytesMax: yamlBytesMax + 1, parse };
    }
  }
}

/** It is deleted where a training begins anew: the last one is the one that counts, unless nothing is in it yet. */
function newestLog(read: readonly ReadFile[]): { path: WatchedPath; rows: LlamaFactoryLog } | undefined {
  const file = read.find(({ path, segments }) => path === logName && segments !== undefined);
  const logs = file?.segments?.filter((segment) => segment instanceof LlamaFactoryLog) ?? [];
  const rows = logs.findLast(({ rowCount }) => rowCount > 0);
  return file && rows && { path: file.path, rows };
}

function yamlOf(read: readonly ReadFile[], name: string): { path: WatchedPath; yaml: SafeYaml }[] {
  // `parse` gave it.
  return read.flatMap(({ path, parsed }) =>
    path === name && parsed !== undefined ? [{ path, yaml: parsed as SafeYaml }] : [],
  );
}

function takeDocument(path: WatchedPath, { value, warnings }: SafeYaml, facts: FactCollector): void {
  for (const warning of warnings) facts.warn(path, warning);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  if (path === boardName) {
    const model = value['top.model_name'];
    if (typeof model === 'string' && model !== '') facts.config({ model: model.slice(0, 4096) }, path);
    return;
  }
  const { raw, warning } = rawConfig(value);
  if (warning !== undefined) facts.warn(path, warning);
  facts.config({ ...knownConfig(value), ...(raw && { raw }) }, path);
}

function takeLog(path: WatchedPath, rows: LlamaFactoryLog, isTimed: boolean, facts: FactCollector): void {
  for (const warning of rows.warnings()) facts.warn(path, warning);
  const { maxSteps, lastStep, lastEpoch, durationSeconds } = rows;
  facts.config({ ...(maxSteps !== undefined && maxSteps > 0 && { maxSteps }) }, path);
  facts.results(
    {
      ...(lastStep !== undefined && { stepsCompleted: lastStep }),
      ...(lastEpoch !== undefined && lastEpoch >= 0 && { epochsCompleted: lastEpoch }),
      ...(durationSeconds !== undefined && !isTimed && { durationSeconds }),
    },
    path,
  );
  facts.metrics(rows.lastValues, path);
  facts.history(rows.history, path);
}

/** The Trainer's own measure is finer; it is there only at the end. */
function hasRuntime(files: readonly FileInfo[]): boolean {
  return files.some(({ path }) => path === 'train_results.json' || path === 'trainer_state.json');
}
