import { comparePaths, type WatchedPath } from '../../domain/watched-path.ts';
import type { FileInfo, Follower, ReadFile, Selection } from '../reader.ts';
import { LineSplitter } from './line-splitter.ts';

/**
 * What the Trainer and the scripts of diffusers print: has a training begun of which they did not say that it is over?
 * Where nobody tracks it, its output is the only trace of a training before its first checkpoint.
 */
export class TrainingConsole implements Follower {
  readonly #lines = new LineSplitter((line) => this.#take(line));
  #isTraining = false;

  push(bytes: Buffer): void {
    this.#lines.push(bytes);
  }

  /** Also by a line that is not at its end: a progress bar has none while it moves. */
  get isTraining(): boolean {
    return saysOf(this.#lines.unfinished) ?? this.#isTraining;
  }

  #take(line: string): void {
    this.#isTraining = saysOf(line) ?? this.#isTraining;
  }
}

/**
 * Undefined for a line that says neither. Values are printed, and messages logged, mostly to different files: each pair of
 * begin and end stays in one.
 */
function saysOf(line: string): boolean | undefined {
  if (/['"]train_runtime['"]: |Training completed\. Do not forget|Model weights saved in /.test(line))
    return false;
  if (/\*{3,} Running training \*{3,}|\{['"]loss['"]: /.test(line)) return true;
  const percent = /^Steps: {1,4}(\d{1,3})%\|/.exec(line)?.[1];
  return percent === undefined ? undefined : percent !== '100';
}

const logsMax = 4;

/** The logs that were written last. */
export function consoleSelections(
  files: readonly FileInfo[],
  isLog: (path: WatchedPath) => boolean,
): Selection[] {
  const logs = files.filter(({ path }) => isLog(path));
  const newest = logs.sort((a, b) => b.modifiedAtMs - a.modifiedAtMs || comparePaths(a.path, b.path));
  return newest.slice(0, logsMax).map(({ path }) => ({
    manner: 'append' as const,
    path,
    keep: 'companion' as const,
    follow: () => new TrainingConsole(),
  }));
}

/** Logs of trainings that are not over, as far as they tell. */
export function trainingLogs(read: readonly ReadFile[]): readonly FileInfo[] {
  return read.filter(({ segments }) => {
    const last = segments?.at(-1);
    return last instanceof TrainingConsole && last.isTraining;
  });
}
