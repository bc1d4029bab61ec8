import { baseName, comparePaths, depthOf, type WatchedPath } from '../domain/watched-path.ts';
import { FactCollector } from './parts/fact-collector.ts';
import { LineSplitter } from './parts/line-splitter.ts';
import { endingOfLogs } from './parts/log-ending.ts';
import { readMetricLine } from './parts/metric-line.ts';
import { PlainLogFollower } from './parts/plain-log-follower.ts';
import { type DirectoryView, type FormatReader, nothing, type ReadFile } from './reader.ts';

/**
 * What trainings print when nobody asked them for a format: nanoGPT and its kin, loops of plain PyTorch, dictionaries of
 * the Hugging Face Trainer. Of several ranks the lowest speaks, the others are heard when they fail.
 */

const filesMax = 64;
const depthMax = 4;
const logName =
  /\.(?:log|out|err)$|^(?:std(?:out|err)|output|console|nohup|log|train(?:ing)?)[\w.-]{0,80}\.txt$/i;
/** Ranks that torchrun keeps apart, and what wandb says about itself. */
const notOurs = /(?:^|\/)(?:attempt_\d+\/\d+|latest-run[^/]*|wandb\/(?:[^/]+\/logs|debug[^/]*))\//;
const wandbDebug = /(?:^|\/)wandb\/(?:.*\/)?debug[\w-]*\.log$/;
const rankPattern =
  /(?:^|[/._-])(?:(?:local|global)_?)?rank[_\-=.]?(\d{1,5})(?=[/._-])|(?:^|\/)ranks\/(\d{1,5})\.log$/i;
/** Beside build-nanogpt's and modded-nanogpt's log.txt. */
const runBesideLog = /^(?:model_\d+\.pt|state_step\d+\.pt|config\.json|tensorboard_logs)$/;
const proofBytesMax = 128 * 1024;

export const plainLogReader: FormatReader = {
  name: 'plain-log',

  recognise(directory) {
    if (!directory.names.has('log.txt') || !hasRunBeside(directory)) return undefined;
    const proof = { paths: ['log.txt'], bytesMax: proofBytesMax, believe: holdsMetrics };
    return { confidence: 'likely', reason: 'log.txt with a loss curve', proof };
  },

  select(files) {
    const logs = files.map(({ path }) => path).filter(isLog);
    const chosen = logs.sort((a, b) => (rankOf(a) ?? 0) - (rankOf(b) ?? 0) || comparePaths(a, b));
    return chosen.slice(0, filesMax).map((path) => ({
      manner: 'append' as const,
      path,
      keep: 'companion' as const,
      follow: () => new PlainLogFollower(),
    }));
  },

  assess(read, session) {
    const logs = read.flatMap(logOf);
    if (logs.length === 0) return nothing;
    const facts = new FactCollector();
    const speaker = speakerOf(logs);
    if (speaker) takeFacts(facts, speaker);
    return facts.assessment(endingOfLogs(logs, session.files));
  },
};

export interface ReadLog {
  readonly path: WatchedPath;
  readonly modifiedAtMs: number;
  readonly rank: number | undefined;
  /** Of the file as it is now: what stood there before it was truncated or replaced was another run's. */
  readonly log: PlainLogFollower;
}

function logOf({ path, modifiedAtMs, segments }: ReadFile): ReadLog[] {
  // `follow` made it.
  const log = segments?.at(-1) as PlainLogFollower | undefined;
  return log ? [{ path, modifiedAtMs, rank: rankOf(path), log }] : [];
}

/** The longest curve among those of the lowest rank; on equal terms the first path. */
function speakerOf(logs: readonly ReadLog[]): ReadLog | undefined {
  const lowest = Math.min(...logs.map(({ rank }) => rank ?? 0));
  const [first] = logs
    .filter(({ rank, log }) => (rank ?? lowest) === lowest && log.last !== undefined)
    .sort((a, b) => b.log.history.rowCount - a.log.history.rowCount || comparePaths(a.path, b.path));
  return first;
}

export function takeFacts(facts: FactCollector, { path, log }: Pick<ReadLog, 'path' | 'log'>): void {
  const { last, trainRuntime } = log;
  if (last?.epochsMax !== undefined) facts.config({ epochs: last.epochsMax }, path);
  const stepsAreAll = last !== undefined && !last.inEpoch;
  if (stepsAreAll && last.stepsMax !== undefined) facts.config({ maxSteps: last.stepsMax }, path);
  if (stepsAreAll && last.step !== undefined) facts.results({ stepsCompleted: last.step }, path);
  // A whole number without a total may as well count from 0, or be the epoch that has just begun.
  const isEpochDone = last?.epochsMax !== undefined || !Number.isInteger(last?.epoch);
  if (stepsAreAll && last.epoch !== undefined && isEpochDone) {
    facts.results({ epochsCompleted: last.epoch }, path);
  }
  if (trainRuntime !== undefined && trainRuntime >= 0) facts.results({ durationSeconds: trainRuntime }, path);
  facts.metrics(Object.fromEntries(log.metrics), path);
  facts.history(log.history.build(), path);
  if (log.notFinite > 0) facts.warn(path, `NaN or Infinity read as null: ${log.notFinite}`);
  if (log.history.columnsLeftOut > 0) facts.warn(path, 'not all columns are in the history');
}

export function isLog(path: WatchedPath): boolean {
  return (
    logName.test(baseName(path)) && depthOf(path) <= depthMax && !notOurs.test(path) && !wandbDebug.test(path)
  );
}

export function rankOf(path: WatchedPath): number | undefined {
  const match = rankPattern.exec(path);
  const rank = match?.[1] ?? match?.[2];
  return rank === undefined ? undefined : Number(rank);
}

function hasRunBeside({ names }: DirectoryView): boolean {
  return [...names].some((name) => runBesideLog.test(name));
}

function holdsMetrics(bytes: Buffer): boolean {
  let found = false;
  const splitter = new LineSplitter((line) => {
    found ||= readMetricLine(line) !== undefined;
  });
  splitter.push(bytes);
  return found;
}
