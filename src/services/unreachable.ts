import type { Finding } from '../domain/finding.ts';
import type { ReportFacts } from './report-facts.ts';

/** A server that restarts, a line that broke, a host whose network comes up: tried again within seconds. */
export const blipMs = 60_000;

/** What passes by itself more often than not. */
const mayPass: ReadonlySet<string> = new Set([
  'network.refused',
  'network.timeout',
  'network.silent',
  'network.name',
]);

export function isUnreachable({ code }: Finding): boolean {
  return mayPass.has(code);
}

/** Nobody has to get up for one look that found nobody there; for the second, or a minute in which nothing could be sent. */
export function unlessBrief(
  found: readonly Finding[],
  { status, isNewlyUnreachable }: ReportFacts,
): Finding[] {
  const isBrief = isNewlyUnreachable === true && (status.blocked?.sinceMs ?? 0) < blipMs;
  return found.map((one) =>
    isBrief && isUnreachable(one) && one.level === 'critical' ? { ...one, level: 'warning' } : one,
  );
}
