import type { WatchedPath } from '../../domain/watched-path.ts';
import type { Ending, FileInfo, ReadFile } from '../reader.ts';
import { type EventFileKinds, type Evidence, isTrainingBegunAfter } from './trainer-activity.ts';
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

/**
 * The end of a Trainer's training, by what it writes only then: the record with `train_runtime` at its last step, in a
 * state or in train_results.json; or a state whose step is `max_steps`. None of it counts when a training was begun, or
 * went on, after it.
 */
export function endingOf(
  states: readonly StateFile[],
  results: readonly ReadFile[],
  files: readonly FileInfo[],
  kinds: EventFileKinds,
): Ending | undefined {
  const evidence = [...states.flatMap(evidenceOf), ...results.flatMap(evidenceOfResults)];
  const standing = evidence.filter(
    (one) => !isTrainingBegunAfter(one, files, kinds) && !isSurpassed(one, states),
  );
  const best = standing.find(({ isSummary }) => isSummary) ?? standing[0];
  return best && { status: 'completed', by: best.path, ...(!best.isSummary && { quietMs: savingMs }) };
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
  kinds: EventFileKinds,
): boolean {
  const evidence = { path: file.path, atMs: file.modifiedAtMs };
  return !isTrainingBegunAfter(evidence, files, kinds) && !isSurpassed(evidence, states);
}
