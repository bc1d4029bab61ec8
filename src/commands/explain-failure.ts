import { Failure } from '../domain/failure.ts';
import { type Edge, exitCode } from './edge.ts';
import { oneLine } from './one-line.ts';

/** Why a command could not do its work, and the exit code that says so. Throws on what is no failure of a destination. */
export function explainFailure(error: unknown, edge: Edge): number {
  if (!(error instanceof Failure)) throw error;
  const remedy = error.remedy ?? 'run it again';
  edge.stderr(`trainlogd: ${oneLine(error.message)}: ${oneLine(remedy)}\n`);
  if (error.denied) return exitCode.permission;
  return error.kind === 'blocked' ? exitCode.unreachable : exitCode.unsent;
}
