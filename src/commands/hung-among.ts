import { hungPlaces } from '../adapters/hung-places.ts';
import { systemClock } from '../adapters/system-time.ts';
import type { Edge } from './edge.ts';

const answerMs = 5_000;

/** Those of the paths that do not answer within seconds. */
export function hungAmong(
  { env, own }: Pick<Edge, 'env' | 'own'>,
  paths: readonly string[],
  ms = answerMs,
): Promise<ReadonlySet<string>> {
  const goer = own && [...own.self, 'go-to'];
  return hungPlaces(paths, { clock: systemClock, ms, path: env['PATH'] ?? '', goer });
}
