import type { Sink } from './sink-process.ts';

/** What a row of the bench is given. */
export interface Bench {
  /** Smaller and fewer: shows that the bench works, proves nothing. */
  readonly quick: boolean;
  readonly rounds: number;
  /** A fresh directory, removed at the end. */
  directory(name: string): string;
  sink(kind: 'http' | 'https'): Promise<Sink>;
  /** The program as it is shipped: arguments of Node up to its own. */
  readonly program: readonly string[];
  say(line: string): void;
}

/** One line of the table. Values are numbers with their unit in the column's name, or words. */
export type Line = Readonly<Record<string, string | number>>;

export interface Row {
  readonly name: string;
  readonly title: string;
  run(bench: Bench): Promise<{ lines: readonly Line[]; notes?: readonly string[] }>;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** The least value that `share` of all values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export function rounded(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}
