import { displayPath } from '../../domain/watched-path.ts';
import type { Ending, FileInfo } from '../reader.ts';
import type { FailureEvidence } from './failure-scan.ts';
import { closingMs, wentOnAfter } from './later-activity.ts';

export interface LogWithEvidence {
  readonly path: string;
  readonly modifiedAtMs: number;
  readonly log: { readonly evidence: FailureEvidence | undefined };
}

const errorLengthMax = 4096;

/**
 * How a session ended by what its logs say together. What a launcher or the scheduler says decides; a traceback alone
 * counts after a minute of silence, since it may have been caught. Nothing counts when the training wrote on elsewhere.
 */
export function endingOfLogs(
  logs: readonly LogWithEvidence[],
  files: readonly FileInfo[],
): Ending | undefined {
  const found = logs.flatMap(({ path, modifiedAtMs, log }) => {
    const { evidence } = log;
    return evidence && !wentOnAfter(modifiedAtMs, files) ? [{ path, ...evidence }] : [];
  });
  const firm = found.filter(({ isConsequence }) => !isConsequence);
  const decisive = firm.find(({ isCertain }) => isCertain) ?? firm[0] ?? found[0];
  if (decisive === undefined) return undefined;
  const isCertain = found.some((one) => one.isCertain);
  // Of two files that tell of the failure the traceback tells more.
  const told = (decisive.status === 'failed' && firm.find(isTraceback)) || decisive;
  return {
    status: decisive.status,
    by: displayPath(decisive.path),
    error: told.error.slice(0, errorLengthMax),
    ...(!isCertain && { quietMs: closingMs }),
  };
}

function isTraceback({ status, error }: FailureEvidence): boolean {
  return status === 'failed' && error.startsWith('Traceback');
}
