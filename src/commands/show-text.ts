import { encodingOf } from '../domain/compression.ts';
import { curvesOf, lossOf } from '../domain/curves.ts';
import type { SessionLog } from '../domain/session-log.ts';
import { humanBytes, humanCost, humanDuration, humanTime } from './human.ts';
import { cut } from './list-text.ts';
import { oneLine } from './one-line.ts';
import { textPlot } from './text-plot.ts';

const columns = 80;
const labelColumns = 11;
/** The log itself has all of them. */
const linesMax = 200;
const valueMax = 2000;

/** One session for people, within 80 columns, paths and keys aside: those are there to be copied. */
export function showText(log: SessionLog): string {
  const { session, missing, companions, warnings } = log;
  const bytes = companions.reduce((sum, file) => sum + file.bytes, 0);
  const files = companions.map((file) => {
    const encoding = encodingOf(file.path, file.key);
    const notes = [encoding && `packed with ${encoding}`, file.truncated && 'perhaps not all of it'];
    const noted = notes.filter((note) => typeof note === 'string').join(', ');
    return `${humanBytes(file.bytes).padStart(10)}  ${oneLine(file.path)}${noted && ` (${noted})`}`;
  });
  const misses = missing.map(({ path, reason }) => `${oneLine(path)}: ${reason}`);
  return [
    `${session.id}: ${session.status}`,
    ...facts(log).flatMap(([label, value]) => labelled(label, value)),
    ...lossLines(log),
    ...section(`files: ${companions.length}, ${humanBytes(bytes)}`, files),
    ...(log.excluded.files > 0
      ? [`  left out: ${log.excluded.files}, ${humanBytes(log.excluded.bytes)}`]
      : []),
    ...section('not in the bucket', misses, misses.length > 0),
    ...section(
      'warnings',
      warnings.flatMap((warning) => wrap(oneLine(warning), columns - 2)),
      warnings.length > 0,
    ),
    '',
  ].join('\n');
}

type Fact = readonly [label: string, value: string | undefined];

function facts({ session, user, pod, config, results }: SessionLog): readonly Fact[] {
  const { name, startedAt, endedAt, sealedBy, framework, version, agent, revision } = session;
  const seconds = results?.durationSeconds;
  const gpus = [pod?.gpuCount, pod?.gpuType].filter((part) => part !== undefined).join(' × ');
  const place = [pod?.provider, pod?.id].filter((part) => part !== undefined).join(' ');
  const price = pod?.costPerHour === undefined ? '' : `${humanCost(pod.costPerHour, pod.currency)} per hour`;
  const { raw: _, ...asked } = config ?? {};
  const done = [
    counted(results?.stepsCompleted, config?.maxSteps, 'steps'),
    counted(results?.epochsCompleted, config?.epochs, 'epochs'),
    results?.checkpointsSaved && `${results.checkpointsSaved.length} checkpoints`,
  ];
  return [
    ['name', name],
    ['started', `${humanTime(startedAt)} UTC`],
    ['ended', endedAt && joined([`${humanTime(endedAt)} UTC`, sealedBy && `said by ${sealedBy}`])],
    ['took', seconds === undefined ? undefined : humanDuration(seconds)],
    ['framework', joined([framework, version])],
    ['user', user?.username],
    ['ran on', joined([place, gpus, price])],
    ['cost', pod?.cost === undefined ? undefined : humanCost(pod.cost, pod.currency)],
    ['config', pairs(asked)],
    ['results', joined(done)],
    ['metrics', pairs(results?.metrics ?? {})],
    ['error', results?.error],
    ['log', `revision ${revision}, by trainlogd ${agent.version} on ${agent.host}`],
  ];
}

function counted(done: number | undefined, wanted: number | undefined, what: string): string | undefined {
  if (done === undefined) return undefined;
  return wanted === undefined ? `${done} ${what}` : `${done} of ${wanted} ${what}`;
}

function joined(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(', ');
}

function pairs(map: object): string {
  return Object.entries(map)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}

function labelled(label: string, value: string | undefined): string[] {
  if (value === undefined || value === '') return [];
  const [first = '', ...more] = wrap(cut(oneLine(value), valueMax), columns - labelColumns - 2);
  return [
    `  ${label.padEnd(labelColumns)}${first}`,
    ...more.map((line) => ' '.repeat(labelColumns + 2) + line),
  ];
}

function lossLines({ history }: SessionLog): string[] {
  const loss = history && lossOf(history);
  if (!history || !loss) return [];
  const { x } = curvesOf(history, 1);
  const thinned = history.thinnedFrom === undefined ? '' : ` of ${history.thinnedFrom}`;
  const head = `${cut(oneLine(loss.name), 40)}: ${loss.points.length}${thinned} values, last ${loss.points.at(-1)?.[1]}`;
  return ['', head, ...textPlot(loss, x)];
}

function section(head: string, lines: readonly string[], isShown = true): string[] {
  if (!isShown) return [];
  const more = lines.length > linesMax ? [`  and ${lines.length - linesMax} more: --json has all`] : [];
  return ['', head, ...lines.slice(0, linesMax).map((line) => `  ${line}`), ...more];
}

/** Between words where there are any. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width);
    const at = space > width / 2 ? space : width;
    lines.push(rest.slice(0, at));
    rest = rest.slice(at).trimStart();
  }
  return [...lines, rest];
}
