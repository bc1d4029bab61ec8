import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts';
import { comparePaths, displayPath } from '../domain/watched-path.ts';
import { amount, rawConfig, text, whole } from './parts/config-fields.ts';
import { FactCollector } from './parts/fact-collector.ts';
import { closingMs, wentOnAfter } from './parts/later-activity.ts';
import { parseLenientJson } from './parts/lenient-json.ts';
import { parseSafeYaml, yamlBytesMax } from './parts/safe-yaml.ts';
import { headerBytesMax, readSafetensorsHeader } from './parts/safetensors-header.ts';
import { beginsAsSafetensors } from './parts/safetensors-start.ts';
import {
  type Ending,
  type FileInfo,
  type FormatReader,
  nothing,
  type ReadFile,
  UnreadableFile,
} from './reader.ts';

/**
 * ostris' ai-toolkit (jobs/process/BaseSDTrainProcess.py): config.yaml at the start, `<name>_<step:09d>.safetensors` while
 * it trains, `<name>.safetensors` at the end, with `training_info` in the header. Its loss_log.db is not read: a database
 * of somebody else is no format to follow while it is written, and its rows are cut back on every resume.
 */

const configFile = 'config.yaml';
const weights = /^[^/]{1,200}\.safetensors$/;
const numbered = /_\d{9}\.safetensors$/;
const signs = /^(?:samples|optimizer\.pt|loss_log\.db|\.job_config\.json)$/;
const filesMax = 16;

export const aiToolkitReader: FormatReader = {
  name: 'ai-toolkit',

  recognise({ names }) {
    if (!names.has(configFile) || ![...names].some(isSign)) return undefined;
    const proof = { paths: [configFile], bytesMax: 16 * 1024, believe: isJob };
    return { confidence: 'likely', reason: 'config.yaml of an ai-toolkit job', proof };
  },

  select(files) {
    const isBeside = files.some(({ path }) => isSign(path.split('/', 1)[0] ?? '') || weights.test(path));
    if (!isBeside || !files.some(({ path }) => path === configFile)) return [];
    const networks = files
      .filter(({ path }) => weights.test(path))
      .sort((a, b) => b.modifiedAtMs - a.modifiedAtMs || comparePaths(a.path, b.path))
      .slice(0, filesMax);
    const common = { manner: 'whole', keep: 'companion' } as const;
    return [
      { ...common, path: configFile, bytesMax: yamlBytesMax, parse: parseConfig },
      ...networks.map(({ path }) => ({ ...common, path, bytesMax: 8 + headerBytesMax, parse: parseNetwork })),
    ];
  },

  assess(read, session) {
    const job = read.find(({ path }) => path === configFile)?.parsed as Job | undefined;
    if (job === undefined) return nothing;
    const facts = new FactCollector();
    facts.session('framework', 'ai-toolkit', configFile);
    takeConfig(facts, job);
    const networks = read.flatMap((file) =>
      weights.test(file.path) && file.parsed !== undefined ? [{ ...file, ...(file.parsed as Network) }] : [],
    );
    networks.sort((a, b) => b.step - a.step || comparePaths(a.path, b.path));
    const [furthest] = networks;
    if (furthest) takeProgress(facts, furthest);
    return facts.assessment(endingOf(job, networks, session.files));
  },
};

interface Job {
  readonly document: JsonObject;
  readonly name: string;
  /** The first of its processes; others are not trainings of their own. */
  readonly process: JsonObject;
  readonly warnings: readonly string[];
}

interface Network {
  readonly step: number;
  readonly epoch: number | undefined;
  readonly isWhole: boolean | undefined;
}

type NetworkFile = ReadFile & Network;

function isSign(name: string): boolean {
  return signs.test(name) || numbered.test(name);
}

function isJob(bytes: Buffer): boolean {
  const head = bytes.toString('latin1');
  return (
    /^ {0,8}["']?job["']?: /m.test(head) &&
    /^ {0,8}["']?config["']?:/m.test(head) &&
    /^ {1,8}["']?process["']?:/m.test(head)
  );
}

/** Undefined for a config.yaml of something else. */
function parseConfig(bytes: Buffer): Job | undefined {
  const { value, warnings } = parseSafeYaml(bytes);
  if (!isJsonObject(value))
    throw new UnreadableFile('no job of ai-toolkit, or one that is being written: no mapping');
  const config = section(value['config']);
  const processes = config['process'];
  const process = Array.isArray(processes) ? section(processes[0]) : {};
  const name = text(config['name']);
  if (name === undefined || typeof value['job'] !== 'string' || !isJsonObject(process['train']))
    return undefined;
  return { document: value, name, process, warnings };
}

/** `training_info` is a text that is JSON: `{"step": 1000, "epoch": 8}`. */
function parseNetwork(bytes: Buffer, file: FileInfo): Network | undefined {
  if (!beginsAsSafetensors(bytes, file.sizeBytes)) return undefined;
  const { metadata, isWhole } = readSafetensorsHeader(bytes, file);
  const written = metadata.get('training_info');
  if (written === undefined) return undefined;
  const info = parseLenientJson(Buffer.from(written), 4096).value;
  const step = isJsonObject(info) ? whole(info['step'], 0) : undefined;
  if (!isJsonObject(info) || step === undefined) return undefined;
  return { step, epoch: amount(info['epoch']), isWhole };
}

function takeConfig(facts: FactCollector, { document, process, warnings }: Job): void {
  const train = section(process['train']);
  const datasets = process['datasets'];
  const batchSize = amount(train['batch_size']);
  const learningRate = amount(train['lr']);
  const maxSteps = whole(train['steps'], 0);
  const seed = whole(train['seed'], 0);
  const model = text(section(process['model'])['name_or_path']);
  const dataset = Array.isArray(datasets) ? text(section(datasets[0])['folder_path']) : undefined;
  const { raw, warning } = rawConfig(document);
  facts.config(
    {
      ...(batchSize !== undefined && { batchSize }),
      ...(learningRate !== undefined && { learningRate }),
      ...(maxSteps !== undefined && { maxSteps }),
      ...(seed !== undefined && { seed }),
      ...(model !== undefined && { model }),
      ...(dataset !== undefined && { dataset }),
      ...(raw && { raw }),
    },
    configFile,
  );
  for (const one of [...warnings, ...(warning === undefined ? [] : [warning])]) facts.warn(configFile, one);
}

function section(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function takeProgress(facts: FactCollector, { path, step, epoch }: NetworkFile): void {
  facts.results({ stepsCompleted: step, ...(epoch !== undefined && { epochsCompleted: epoch }) }, path);
}

/** The file without a number is only written at the end; one with a higher step is of a run that went on from it. */
function endingOf(
  job: Job,
  networks: readonly NetworkFile[],
  files: readonly FileInfo[],
): Ending | undefined {
  const final = networks.find(({ path }) => path === `${job.name}.safetensors`);
  const furthest = networks[0];
  if (final === undefined || furthest === undefined || final.step < furthest.step) return undefined;
  const stepsMax = whole(section(job.process['train'])['steps'], 0);
  // More were asked for since: the job was begun again to go on. Steps are counted from 0 or from 1.
  if (stepsMax !== undefined && final.step + 1 < stepsMax) return undefined;
  if (final.isWhole === false || wentOnAfter(final.modifiedAtMs, files)) return undefined;
  return {
    status: 'completed',
    by: displayPath(final.path),
    ...(final.isWhole === undefined && { quietMs: closingMs }),
  };
}
