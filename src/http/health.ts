import { type Answer, plain } from './answer.ts';

/** What `/readyz` is told by. */
export interface Readiness {
  /** Of the watched folder; `present` when it can be looked at. */
  readonly folderState: string;
  readonly folder: string;
  /** The folder was looked at as a whole. */
  readonly hasLooked: boolean;
  /** Undefined: the journal can be read and written to. */
  readonly journalProblem: string | undefined;
}

export const alive: Answer = plain(200, 'alive');

export function readiness({ folderState, folder, hasLooked, journalProblem }: Readiness): Answer {
  if (journalProblem !== undefined) return plain(503, `not ready: ${journalProblem}`);
  if (folderState !== 'present')
    return plain(503, `not ready: the folder ${JSON.stringify(folder)} is ${folderState}`);
  if (!hasLooked) return plain(503, 'not ready: the folder is being looked at for the first time');
  return plain(200, 'ready');
}
