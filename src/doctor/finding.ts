import type { Finding, Level } from '../domain/finding.ts';
import type { Code } from './codes.ts';

/** A finding of the doctor's; a permission that is missing comes with the policy statement that gives it. */
export interface Diagnosis extends Finding {
  readonly code: Code;
  readonly statement?: object;
}

/** Why a check looked at nothing. */
export interface NotLooked {
  readonly because: string;
  /** There is nothing to look at. */
  readonly needless?: true;
}

export const isDirectory: NotLooked = { because: 'the destination is a directory', needless: true };

export function found(
  level: Level,
  code: Code,
  finding: string,
  more: { evidence?: string | undefined; remedy?: string | undefined; statement?: object } = {},
): Diagnosis {
  const { evidence, remedy, statement } = more;
  return {
    code,
    level,
    finding,
    ...(evidence !== undefined && { evidence }),
    ...(remedy !== undefined && { remedy }),
    ...(statement !== undefined && { statement }),
  };
}

/** `1 file`, `2 files`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
