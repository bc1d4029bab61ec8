import type { SessionLog } from '../../src/domain/session-log.ts';

/**
 * A session log as a person reviews it: what differs from run to run is left out, and of what is copied from the
 * framework's files, numbers over time and whole configurations, only the shape stays. Sources have what they say.
 * `filesAt` is the time that every file has.
 */
export function normalLog(log: SessionLog, filesAt: string): object {
  const { session, user, pod, config, results, history, companions, missing, excluded, warnings } = log;
  const { agent: _, revision: __, id, ...said } = session;
  const provenance = Object.entries(log.provenance).filter(([, source]) => source !== hostName);
  const isKnown = (path: string) => provenance.some(([known]) => known === path);
  const isGuessed = log.provenance['results.durationSeconds']?.startsWith('computed');
  const normal = {
    session: {
      id: id
        .replace(/-[0-9a-f]{6}$/, '-<hash>')
        .replace(filesAt.replace(/[-:]|\.\d+/g, ''), '<time of the files>'),
      ...said,
    },
    user,
    pod: pod && Object.fromEntries(Object.entries(pod).filter(([name]) => isKnown(`pod.${name}`))),
    config: config && { ...config, raw: config.raw && listed(Object.keys(config.raw).sort()) },
    results: results && {
      ...results,
      durationSeconds: isGuessed ? undefined : results.durationSeconds,
      error: results.error === undefined ? undefined : shortened(results.error),
    },
    history: history && shapeOf(history),
    companions: companions.map(({ path }) => path),
    missing: missing.length > 0 ? missing : undefined,
    excluded: excluded.files > 0 ? excluded : undefined,
    bySource: bySource(provenance),
    warnings: warnings.length > 0 ? warnings : undefined,
  };
  return JSON.parse(JSON.stringify(normal).replaceAll(filesAt, '<time of the files>'));
}

const hostName = 'host name';

/** What each source is the first to say. Keys of a configuration are counted. */
function bySource(provenance: readonly (readonly [string, string])[]): Record<string, string> {
  const said = new Map<string, Map<string, number>>();
  for (const [path, source] of provenance) {
    const name = path.startsWith('config.raw.') ? 'config.raw.*' : path;
    const paths = said.get(source) ?? new Map<string, number>();
    said.set(source, paths.set(name, (paths.get(name) ?? 0) + 1));
  }
  const lines = [...said].map(([source, paths]) => {
    const counted = [...paths].map(([path, count]) => (count > 1 ? `${path} (${count})` : path));
    return [source, counted.sort().join(', ')] as const;
  });
  return Object.fromEntries(lines.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function shapeOf({ columns, rows, thinnedFrom }: NonNullable<SessionLog['history']>): object {
  return { columns, rows: rows.length, first: rows[0], last: rows.at(-1), thinnedFrom };
}

function listed(names: readonly string[]): string {
  const first = names.slice(0, 8).join(', ');
  return names.length <= 8 ? first : `${first} and ${names.length - 8} more`;
}

function shortened(text: string): string {
  return text.length <= 300 ? text : `${text.slice(0, 150)} … ${text.slice(-150)}`;
}

/** Indented, lists of numbers and words on one line each. */
export function readable(document: unknown): string {
  const text = JSON.stringify(document, null, 2);
  const list = /\[\n\s+((?:"(?:[^"\\]|\\.)*"|[\w.+-]+)(?:,\n\s+(?:"(?:[^"\\]|\\.)*"|[\w.+-]+))*)\n\s+\]/g;
  return `${text.replace(list, (_, inside: string) => `[${inside.replace(/,\n\s+/g, ', ')}]`)}\n`;
}
