import type { SessionLog } from '../../src/domain/session-log.ts';

/**
 * A session log as a person reviews it: what differs from run to run is left out, and of what is copied from the
 * framework's files, numbers over time and whole configurations, only the shape stays.
 */
export function normalLog(log: SessionLog): object {
  const { session, config, results, history, companions, missing, excluded, provenance, warnings } = log;
  const { agent: _, revision: __, id, startedAt, endedAt, ...said } = session;
  const isGuessed = (path: string) => provenance[path] === 'file times';
  return {
    session: {
      id: id.replace(/-[0-9a-f]{6}$/, '-<hash>').replace(/20260131T120000Z/, '<file times>'),
      ...said,
      ...(!isGuessed('session.startedAt') && { startedAt }),
      ...(endedAt !== undefined && !isGuessed('session.endedAt') && { endedAt }),
    },
    ...(log.user && { user: log.user }),
    ...(log.pod && { pod: log.pod }),
    ...(config && { config: { ...config, ...(config.raw && { raw: Object.keys(config.raw).sort() }) } }),
    ...(results && {
      results: {
        ...results,
        ...(isGuessed('session.endedAt') && { durationSeconds: undefined }),
        ...(results.error !== undefined && { error: shortened(results.error) }),
      },
    }),
    ...(history && { history: shapeOf(history) }),
    companions: companions.map(({ path }) => path),
    ...(missing.length > 0 && { missing }),
    ...(excluded.files > 0 && { excluded }),
    provenance,
    ...(warnings.length > 0 && { warnings }),
  };
}

function shapeOf({ columns, rows, thinnedFrom }: NonNullable<SessionLog['history']>): object {
  return { columns, rows: rows.length, first: rows[0], last: rows.at(-1), thinnedFrom };
}

function shortened(text: string): string {
  return text.length <= 300 ? text : `${text.slice(0, 150)} … ${text.slice(-150)}`;
}
