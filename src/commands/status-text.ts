import type { Status } from '../ports/status.ts';
import { cutEnd, wrapped } from './columns.ts';
import { counted, humanBytes, humanSpan } from './human.ts';
import { oneLine } from './one-line.ts';
import { type Concern, concernsOf } from './status-concerns.ts';
import { leftMs, uploadLines } from './status-uploads.ts';
import { type Line, plain, toned } from './styled.ts';

/** How many items of a kind are named; `--json` names more. */
const namedMax = 20;
const titleColumns = 15;

/** What a platform engineer wants to know, in that order; names in it are untrusted. */
export function statusLines(status: Status, nowMs: number, columns: number): Line[] {
  const concerns = concernsOf(status);
  return [
    ...headLines(status, concerns, columns),
    ...concerns.flatMap((concern) => ['', ...concernTexts(concern, columns)].map(tonedAs(concern))),
    ...uploadLines(status, columns),
    ...toned('title', '', 'BACKLOG'),
    ...backlogRows(status).flatMap(row(columns)),
    ...toned('title', '', 'AGENT'),
    ...agentRows(status, nowMs).flatMap(row(columns)),
    ...named(
      'SHIPPED BY OTHER HOSTS',
      (status.elsewhere ?? []).map(({ session, host }) => `${session}: ${host}`),
      columns,
    ),
    ...named(
      'IN NO SESSION, NOT SHIPPED',
      status.loose.map((path) => JSON.stringify(path)),
      columns,
    ),
  ];
}

function headLines(status: Status, concerns: readonly Concern[], columns: number): Line[] {
  const { running, program, pid, host, state } = status;
  const critical = concerns.filter(({ level }) => level === 'critical').length;
  const tone = critical > 0 ? 'critical' : concerns.length > 0 ? 'warning' : running ? 'ok' : 'warning';
  if (!running)
    return toned(tone, ...wrapped(oneLine(`no trainlogd runs for ${state} on ${host}`), '', '  ', columns));
  const verdict =
    critical > 0
      ? `${counted(critical, 'thing')} need${critical === 1 ? 's' : ''} you`
      : concerns.length > 0
        ? counted(concerns.length, 'warning')
        : 'all is well';
  return toned(
    tone,
    cutEnd(oneLine(`${verdict}: trainlogd ${program} runs as process ${pid} on ${host}`), columns),
  );
}

function tonedAs({ level }: Concern): (text: string, at: number) => Line {
  return (text, at) => (at === 1 ? { text, tone: level } : plain(text));
}

function concernTexts({ level, title, names = [], evidence, remedy }: Concern, columns: number): string[] {
  const mark = level === 'critical' ? '! ' : '? ';
  return [
    ...wrapped(oneLine(title), mark, '  ', columns),
    ...names.flatMap((name) => wrapped(oneLine(name), '    ', '      ', columns)),
    ...(evidence === undefined ? [] : wrapped(oneLine(evidence), '  ', '  ', columns)),
    ...(remedy === undefined ? [] : wrapped(`to do: ${oneLine(remedy)}`, '  ', '    ', columns)),
  ];
}

type Row = readonly [title: string, text: string];

function row(columns: number): (row: Row) => Line[] {
  return ([title, text]) =>
    wrapped(oneLine(text), `  ${title.padEnd(titleColumns - 2)}`, ' '.repeat(titleColumns), columns).map(
      plain,
    );
}

function backlogRows(status: Status): Row[] {
  const { backlog, parts, throttled } = status;
  const left = leftMs(status);
  const rows: Row[] = [
    [
      'to send',
      `${counted(backlog.pendingFiles, 'file')}, ${humanBytes(backlog.pendingBytes)}${left === undefined ? '' : `, ${humanSpan(left)} at this rate`}`,
    ],
    [
      'sessions',
      `${backlog.shipped} shipped, ${backlog.shipping} being shipped, ${backlog.open} open${backlog.skipped > 0 ? `, ${backlog.skipped} left to backfill` : ''}`,
    ],
    ...waitingRows(status),
  ];
  if (parts && parts.open > 0)
    rows.push([
      'in parts',
      `${counted(parts.open, 'upload')} under way, ${humanBytes(parts.openBytes)} there already`,
    ]);
  if (parts && parts.abandoned > 0)
    rows.push([
      'given up',
      `${counted(parts.abandoned, 'upload')}, ${humanBytes(parts.abandonedBytes)}, until the bucket frees them`,
    ]);
  if (throttled)
    rows.push([
      'throttled',
      `${throttled.requests} of ${counted(throttled.of, 'request')} at once: the destination asks for fewer`,
    ]);
  return rows;
}

const causesMax = 3;

/** What was tried in vain and is tried again. */
function waitingRows({ backlog }: Status): Row[] {
  const failed = backlog.unsent.filter(({ reason }) => reason !== 'waiting');
  const byReason = Map.groupBy(failed, ({ reason }) => reason);
  return [...byReason]
    .slice(0, causesMax)
    .map(([reason, items]): Row => ['tried again', `${counted(items.length, 'item')}: ${reason}`]);
}

function agentRows(status: Status, nowMs: number): Row[] {
  const { credentials, clockBehindMs = 0, report, http, folder, folderState, destination } = status;
  const rows: Row[] = [];
  if (credentials)
    rows.push(['credentials', `${credentials.source}${validity(credentials.expiresAt, nowMs)}`]);
  if (report) {
    const all = report.findings.filter(({ level }) => level !== 'ok').length;
    const found = all === 0 ? '' : `, ${counted(all, 'finding')}`;
    rows.push(['last report', `${report.level}, ${humanSpan(nowMs - Date.parse(report.at))} ago${found}`]);
  }
  if (http) rows.push(['page', http.url]);
  if (clockBehindMs !== 0) {
    const side = clockBehindMs > 0 ? 'behind' : 'ahead of';
    rows.push([
      'clock',
      `${humanSpan(Math.abs(clockBehindMs))} ${side} the server's, corrected for requests: set it, best by NTP`,
    ]);
  }
  const isThere = folderState === undefined || folderState === 'present';
  rows.push(['folder', `${folder}${isThere ? '' : ` (${folderState})`}`], ['destination', destination]);
  return rows;
}

function validity(expiresAt: string | undefined, nowMs: number): string {
  if (expiresAt === undefined) return '';
  const left = Date.parse(expiresAt) - nowMs;
  return left > 0
    ? `, for ${humanSpan(left)} more (${expiresAt})`
    : `, expired ${humanSpan(-left)} ago (${expiresAt})`;
}

function named(title: string, items: readonly string[], columns: number): Line[] {
  if (items.length === 0) return [];
  const more = items.length > namedMax ? [`  and ${items.length - namedMax} more`] : [];
  const texts = items.slice(0, namedMax).flatMap((item) => wrapped(oneLine(item), '  ', '    ', columns));
  return [...toned('title', '', title), ...[...texts, ...more].map(plain)];
}
