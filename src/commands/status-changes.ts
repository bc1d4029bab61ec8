import type { Status } from '../ports/status.ts';
import { counted, humanBytes } from './human.ts';
import { oneLine } from './one-line.ts';
import { type Concern, concernsOf } from './status-concerns.ts';
import type { Seen } from './status-frame.ts';

const uploadsMax = 3;

/**
 * What is new since what was told: a line of how it goes, and one for each thing that needs somebody. `told` and `now` hold
 * what was said, without ages and rates, which change all the time.
 */
export function changeLines(
  { status, problem }: Seen,
  told: ReadonlySet<string>,
  nowMs: number,
): { readonly lines: readonly string[]; readonly now: Set<string> } {
  const time = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  const said =
    problem === undefined && status
      ? [summary(status), ...concernsOf(status).map(concernText)]
      : [oneLine(problem ?? 'no status')];
  return {
    lines: said.filter((text) => !told.has(text)).map((text) => `${time} ${text}`),
    now: new Set(said),
  };
}

function summary(status: Status): string {
  const { running, backlog, uploads, state } = status;
  const parts = [
    running ? 'running' : oneLine(`no trainlogd runs for ${state}`),
    `${backlog.shipped} shipped, ${backlog.shipping} being shipped, ${backlog.open} open`,
    `${counted(backlog.pendingFiles, 'file')}, ${humanBytes(backlog.pendingBytes)} to send`,
    ...uploads
      .toSorted((a, b) => b.forMs - a.forMs)
      .slice(0, uploadsMax)
      .map(uploadText),
  ];
  return parts.join('; ');
}

/** In steps: a line for each is enough to see that it goes on. */
function uploadText({ session, path, sentBytes, sizeBytes }: Status['uploads'][number]): string {
  const tenths = sizeBytes > 0 ? Math.floor((10 * Math.min(sentBytes, sizeBytes)) / sizeBytes) : 10;
  return oneLine(`${path} of ${session} ${tenths * 10} %`);
}

function concernText({ level, title, names = [], evidence, remedy }: Concern): string {
  const what = evidence === undefined ? title : `${title.replace(/, for [^:]*:/, ':')}: ${evidence}`;
  const files = names.length === 0 ? '' : ` (${names.join(', ')})`;
  return oneLine(`${level}: ${what}${files}${remedy === undefined ? '' : `; to do: ${remedy}`}`);
}
