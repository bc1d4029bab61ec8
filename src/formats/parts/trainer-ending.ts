import type { WatchedPath } from '../../domain/watched-path.ts';
import type { Ending, FileInfo, ReadFile } from '../reader.ts';
import { type Evidence, isTrainingBegunAfter, type Traces } from './trainer-activity.ts';
import type { TrainerState } from './trainer-state.ts';

export interface StateFile {
  readonly path: WatchedPath;
  readonly modifiedAtMs: number;
  readonly state: TrainerState;
}

interface TrainerEvidence extends Evidence {
  /** What is only logged when the training is over. */
  readonly isSummary: boolean;
}

/** After the last checkpoint the model itself is saved, and what tells more. */
const savingMs = 60_000;
/** Event files are flushed every two minutes. */
export const sharedMs = 180_000;

/**
 * The end of a Trainer's training, by what it writes only then: the record with `train_runtime` at its last step, in a
 * state or in train_results.json; or a state whose step is `max_steps`. None of it counts when a training was begun, or
 * went on, after it.
 */
export function endingOf(
  states: readonly StateFile[],
  results: readonly ReadFile[],
  files: readonly FileInfo[],
  traces: Traces,
): { ending?: Ending; goesOn: boolean } {
  const evidence = [...states.flatMap(evidenceOf), ...results.flatMap(evidenceOfResults)];
  const standing = evidence.filter(
    (one) => !isTrainingBegunAfter(one, files, traces) && !isSurpassed(one, states),
  );
  const best = standing.find(({ isSummary }) => isSummary) ?? standing[0];
  if (best === undefined) return { goesOn: evidence.length > 0 };
  const quietMs = isShared(best, files, traces) ? sharedMs : best.isSummary ? 0 : savingMs;
  return { ending: { status: 'completed', by: best.path, ...(quietMs > 0 && { quietMs }) }, goesOn: false };
}

function evidenceOf({ path, modifiedAtMs, state }: StateFile): TrainerEvidence[] {
  const isSummary = state.runtimeSeconds !== undefined;
  const isDone = isSummary || state.globalStep === state.maxSteps;
  if (!isDone || state.globalStep === 0) return [];
  return [{ path, atMs: modifiedAtMs, step: state.globalStep, isSummary }];
}

function evidenceOfResults({ path, modifiedAtMs, parsed }: ReadFile): TrainerEvidence[] {
  const isSummary = typeof parsed === 'object' && parsed !== null && 'train_runtime' in parsed;
  return path === 'train_results.json' && isSummary ? [{ path, atMs: modifiedAtMs, isSummary }] : [];
}

/** Two trainings that write into one directory: the other one shows by its next event, if it goes on. */
export function isShared({ atMs }: Evidence, files: readonly FileInfo[], { kinds }: Traces): boolean {
  const live = files.filter(
    ({ path, modifiedAtMs }) => kinds.get(path) === 'training' && modifiedAtMs > atMs - sharedMs,
  );
  return live.length > 1;
}

/** Does a state that was written later tell of a training that is not at its end? */
function isSurpassed(evidence: Evidence, states: readonly StateFile[]): boolean {
  return states.some(
    ({ path, modifiedAtMs, state }) =>
      path !== evidence.path &&
      modifiedAtMs > evidence.atMs &&
      evidenceOf({ path, modifiedAtMs, state }).length === 0 &&
      (evidence.step === undefined || state.globalStep > evidence.step),
  );
}

/** Results older than a training that was begun after them are of the one before. */
export function isResultsCurrent(
  file: ReadFile,
  states: readonly StateFile[],
  files: readonly FileInfo[],
  traces: Traces,
): boolean {
  const evidence = { path: file.path, atMs: file.modifiedAtMs };
  return !isTrainingBegunAfter(evidence, files, traces) && !isSurpassed(evidence, states);
}
