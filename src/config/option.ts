import type { Plain, ValueType } from './value-types.ts';

/**
 * One option. The key is its name in the table; its variable, its place in the YAML file, the reference
 * file and every message derive from this one declaration.
 */
export interface Option<T> {
  readonly type: ValueType<T>;
  readonly doc: string;
  /** In configuration syntax. Absent: unset, or computed as `computed` says. */
  readonly default?: Plain;
  /** How an absent default is made up. */
  readonly computed?: string;
  /** A value to show where there is no default. */
  readonly example?: Plain;
}
