import type { BucketChange } from '../ports/bucket-admin.ts';

/**
 * What is found of one setting.
 *
 *   right      as it shall be
 *   differs    would be changed
 *   kept       other than asked for, and stricter: stays
 *   withheld   asked for and not done, because of what it would do beyond
 *   lacking    the endpoint knows no such thing
 *   note       cannot be known from here
 */
export type Line =
  | { readonly setting: string; readonly state: 'right'; readonly have: string }
  | { readonly setting: string; readonly state: 'differs'; readonly have: string; readonly want: string }
  | {
      readonly setting: string;
      readonly state: 'kept';
      readonly have: string;
      readonly want: string;
      readonly why: string;
    }
  | {
      readonly setting: string;
      readonly state: 'withheld' | 'lacking';
      readonly want: string;
      readonly why: string;
    }
  | { readonly setting: string; readonly state: 'note'; readonly why: string };

/** Lines for people, and what would make it so. */
export interface Compared {
  readonly lines: readonly Line[];
  readonly changes: readonly BucketChange[];
}

export function right(setting: string, have: string): Line {
  return { setting, state: 'right', have };
}

export function differs(setting: string, have: string, want: string): Line {
  return { setting, state: 'differs', have, want };
}

export function kept(setting: string, have: string, want: string, why: string): Line {
  return { setting, state: 'kept', have, want, why };
}

export function withheld(setting: string, want: string, why: string): Line {
  return { setting, state: 'withheld', want, why };
}

export function lacking(setting: string, want: string, why: string): Line {
  return { setting, state: 'lacking', want, why };
}

/** What is as it shall be, or stays as it is. */
export function unchanged(...lines: readonly Line[]): Compared {
  return { lines, changes: [] };
}
