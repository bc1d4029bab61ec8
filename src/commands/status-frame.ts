import type { Status } from '../ports/status.ts';
import { cutEnd, pieces } from './columns.ts';
import { oneLine } from './one-line.ts';
import { statusLines } from './status-text.ts';
import { type Line, plain, toned } from './styled.ts';

/** What was found at one look: a status, or why there is none; then the last one that there was. */
export interface Seen {
  readonly status: Status | undefined;
  readonly problem: string | undefined;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const columnsMin = 20;

/** One screen: no line is wider, and there are never more lines than rows. */
export function frame({ status, problem }: Seen, nowMs: number, size: Size): Line[] {
  const columns = Math.max(columnsMin, size.columns);
  const lines = [
    ...(problem === undefined ? [] : [...toned('critical', oneLine(problem)), plain('')]),
    ...(status ? statusLines(status, nowMs, columns) : []),
  ].flatMap(({ text, tone }) => pieces(text, columns).map((piece): Line => ({ text: piece, tone })));
  const foot = `${new Date(nowMs).toISOString().slice(11, 19)} UTC, Ctrl-C ends`;
  const room = Math.max(1, size.rows - 2);
  const shown = lines.length > room ? lines.slice(0, Math.max(0, room - 1)) : lines;
  const hidden = lines.length - shown.length;
  const more =
    hidden > 0 ? toned('faint', cutEnd(`and ${hidden} more lines: trainlogd status shows all`, columns)) : [];
  return [...shown, ...more, plain(''), ...toned('faint', cutEnd(foot, columns))].slice(
    -Math.max(1, size.rows),
  );
}
