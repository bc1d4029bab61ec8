import { isJsonObject, type JsonObject } from '../domain/json.ts';
import { displayPath } from '../domain/watched-path.ts';
import { amount, knownConfig, rawConfig, text, whole } from './parts/config-fields.ts';
import { FactCollector } from './parts/fact-collector.ts';
import { parseSafeYaml, yamlBytesMax } from './parts/safe-yaml.ts';
import {
  CompletionLine,
  isResultsHeader,
  ResultsFollower,
  type ResultsRun,
} from './parts/ultralytics-results.ts';
import { isLog } from './plain-log.ts';
import {
  type Ending,
  type FileInfo,
  type FormatReader,
  nothing,
  type ReadFile,
  UnreadableFile,
} from './reader.ts';

/** Ultralytics YOLO (ultralytics/engine/trainer.py): args.yaml at the start, results.csv once an epoch. */

const argsFile = 'args.yaml';
const resultsFile = 'results.csv';
const plotFile = 'results.png';
const logsMax = 8;
/** Files of one moment come to lie seconds apart where they were copied. */
const momentMs = 10_000;
/** After the last epoch the best weights are evaluated once more. */
const finalEvaluationMs = 60_000;

export const ultralyticsReader: FormatReader = {
  name: 'ultralytics',

  recognise({ names }) {
    // Without its arguments a run was copied here, or is of a version that names them otherwise.
    const reason = [argsFile, resultsFile].find((name) => names.has(name));
    if (reason === undefined) return undefined;
    const believe = reason === argsFile ? isTrainingArgs : isResultsTable;
    return { confidence: 'likely', reason, proof: { paths: [reason], bytesMax: 16 * 1024, believe } };
  },

  select(files) {
    const results = files
      .filter(({ path }) => path === resultsFile)
      .map(({ path }) => ({
        manner: 'append' as const,
        path,
        keep: 'companion' as const,
        follow: () => new ResultsFollower(),
      }));
    if (!files.some(({ path }) => path === argsFile)) return results;
    const logs = files.map(({ path }) => path).filter(isLog);
    return [
      { manner: 'whole', path: argsFile, keep: 'companion', bytesMax: yamlBytesMax, parse: parseArgs },
      ...results,
      ...logs.slice(0, logsMax).map((path) => ({
        manner: 'append' as const,
        path,
        keep: 'companion' as const,
        follow: () => new CompletionLine(),
      })),
    ];
  },

  assess(read, session) {
    const args = read.find(({ path }) => path === argsFile)?.parsed as Args | undefined;
    const results = read.find(({ path }) => path === resultsFile)?.segments?.at(-1) as
      | ResultsFollower
      | undefined;
    const hasArgs = session.files.some(({ path }) => path === argsFile);
    if (args === undefined && (hasArgs || !results?.isOurs)) return nothing;
    const facts = new FactCollector();
    facts.session('framework', 'ultralytics', args ? argsFile : resultsFile);
    if (args) takeConfig(facts, args);
    const run = results?.run;
    if (results && run) takeResults(facts, results, run);
    const ending = args && endingOf(args, run, read, session.files);
    return facts.assessment(ending, isBegunAgain(session.files));
  },
};

interface Args {
  readonly document: JsonObject;
  readonly epochs: number | undefined;
  readonly warnings: readonly string[];
}

/** Undefined for an args.yaml of something else, or of another mode. */
function parseArgs(bytes: Buffer): Args | undefined {
  const { value, warnings } = parseSafeYaml(bytes);
  if (!isJsonObject(value))
    throw new UnreadableFile('no arguments, or some that are being written: no mapping');
  if (value['mode'] !== 'train' || typeof value['task'] !== 'string') return undefined;
  return { document: value, epochs: whole(value['epochs'], 1), warnings };
}

function isTrainingArgs(bytes: Buffer): boolean {
  const head = bytes.toString('latin1');
  return /^task: ?\w/m.test(head) && /^mode: ?['"]?train\b/m.test(head);
}

function isResultsTable(bytes: Buffer): boolean {
  const [header = ''] = bytes.toString('latin1').split('\n', 1);
  return isResultsHeader(header.split(',').map((name) => name.trim()));
}

function takeConfig(facts: FactCollector, { document, epochs, warnings }: Args): void {
  const known = knownConfig({ lr0: document['lr0'] ?? null, seed: document['seed'] ?? null });
  const batchSize = amount(document['batch']);
  const model = text(document['model']);
  const dataset = text(document['data']);
  const { raw, warning } = rawConfig(document);
  facts.config(
    {
      ...known,
      ...(epochs !== undefined && { epochs }),
      // A fraction, or -1: as much as fits into the memory.
      ...(batchSize !== undefined && batchSize >= 1 && { batchSize }),
      ...(model !== undefined && { model }),
      ...(dataset !== undefined && { dataset }),
      ...(raw && { raw }),
    },
    argsFile,
  );
  for (const text of [...warnings, ...(warning === undefined ? [] : [warning])]) facts.warn(argsFile, text);
}

function takeResults(facts: FactCollector, results: ResultsFollower, run: ResultsRun): void {
  const { epochsCompleted, durationSeconds } = run;
  facts.results({ epochsCompleted, ...(durationSeconds !== undefined && { durationSeconds }) }, resultsFile);
  facts.metrics(Object.fromEntries(run.metrics), resultsFile);
  facts.history(run.history.build(), resultsFile);
  for (const warning of results.warnings()) facts.warn(resultsFile, warning);
}

/** A run that is begun or resumed in the same directory writes args.yaml anew, before anything else. */
function endingOf(
  args: Args,
  run: ResultsRun | undefined,
  read: readonly ReadFile[],
  files: readonly FileInfo[],
): Ending | undefined {
  if (run === undefined) return undefined;
  const started = [argsFile, resultsFile].map(
    (path) => files.find((file) => file.path === path)?.modifiedAtMs ?? 0,
  );
  const isLast = (ms: number) => started.every((startedMs) => startedMs <= ms + momentMs);
  const plot = files.find(({ path }) => path === plotFile);
  if (plot && isLast(plot.modifiedAtMs)) return { status: 'completed', by: plotFile };
  const told = read.find((file) => isLast(file.modifiedAtMs) && isToldBy(file));
  const by = told ? displayPath(told.path) : run.epochsCompleted === args.epochs ? resultsFile : undefined;
  if (by === undefined || (by === resultsFile && !isLast(started[1] ?? 0))) return undefined;
  return { status: 'completed', by, quietMs: finalEvaluationMs };
}

/** The plots of a run that ended, beside the arguments of one that was begun since. */
function isBegunAgain(files: readonly FileInfo[]): boolean {
  const atMs = (name: string) => files.find(({ path }) => path === name)?.modifiedAtMs;
  return (atMs(argsFile) ?? 0) > (atMs(plotFile) ?? Number.POSITIVE_INFINITY) + momentMs;
}

function isToldBy({ segments }: ReadFile): boolean {
  const last = segments?.at(-1);
  return last instanceof CompletionLine && last.isTold;
}
