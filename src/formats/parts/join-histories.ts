import type { History, HistoryCell } from '../../domain/history.ts';
import { HistoryBuilder } from './history-builder.ts';

type NamedCell = readonly [string, HistoryCell | undefined];
interface Row {
  readonly step: number | undefined;
  readonly cells: readonly NamedCell[];
}

/** Several histories of one training as one, in the given order; `bySteps` for those that were written side by side. */
export function joinHistories(histories: readonly History[], bySteps = false): History | undefined {
  const [only] = histories;
  if (histories.length < 2) return only;
  const rows = histories.flatMap(rowsOf);
  if (bySteps) rows.sort((a, b) => (a.step ?? 0) - (b.step ?? 0));
  const builder = new HistoryBuilder();
  for (const { step, cells } of rows) builder.add(step, cells);
  const joined = builder.build();
  const before = histories.reduce((sum, { rows, thinnedFrom }) => sum + (thinnedFrom ?? rows.length), 0);
  const isThinned = histories.some(({ thinnedFrom }) => thinnedFrom !== undefined);
  return joined && (isThinned || joined.thinnedFrom !== undefined)
    ? { ...joined, thinnedFrom: before }
    : joined;
}

export function renameColumns(history: History, rename: (column: string) => string): History {
  return { ...history, columns: history.columns.map((name) => (name === 'step' ? name : rename(name))) };
}

function rowsOf({ columns, rows }: History): Row[] {
  const stepAt = columns.indexOf('step');
  return rows.map((row) => {
    const step = stepAt < 0 ? undefined : row[stepAt];
    const cells = columns.flatMap((name, at): NamedCell[] =>
      at === stepAt || row[at] === null || row[at] === undefined ? [] : [[name, row[at]]],
    );
    return { step: typeof step === 'number' ? step : undefined, cells };
  });
}
