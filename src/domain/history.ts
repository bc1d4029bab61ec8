import type { HistorySection } from './session-log.ts';

/** Values over the course of a training: one row a step, cells in the order of the columns. */
export type History = HistorySection;

export type HistoryCell = number | string | null;

/** First and last row stay, the ones between are spread evenly. Undefined when not even two rows fit. */
export function thinHistory(history: History, bytesMax: number): History | undefined {
  const { rows } = history;
  const bytes = bytesOf(history);
  if (bytes <= bytesMax) return history;
  if (rows.length < 3) return undefined;
  const wanted = Math.floor((rows.length * bytesMax) / bytes);
  for (let count = Math.min(wanted, rows.length - 1); count >= 2; count = Math.floor(count * 0.9)) {
    const thinned = spread(history, count);
    if (bytesOf(thinned) <= bytesMax) return thinned;
  }
  return undefined;
}

function spread(history: History, count: number): History {
  const { columns, rows, thinnedFrom } = history;
  const kept = Array.from({ length: count }, (_, at) => {
    const row = rows[Math.round((at * (rows.length - 1)) / (count - 1))];
    return row ?? [];
  });
  return { columns, rows: kept, thinnedFrom: thinnedFrom ?? rows.length };
}

function bytesOf(history: History): number {
  return Buffer.byteLength(JSON.stringify(history));
}
