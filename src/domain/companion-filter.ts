import picomatch from 'picomatch';
import { sessionEnvName } from './session-env.ts';
import { baseName, type WatchedPath } from './watched-path.ts';

/**
 * What becomes of a file of a session that is not native. `checkpoint` is left out too, but listed in the results.
 */
export type CompanionChoice = 'companion' | 'excluded' | 'checkpoint' | 'tooLarge';

export interface CompanionRules {
  /** Globs of what may be shipped; empty: everything. */
  readonly include: readonly string[];
  /** Globs of what is left out. */
  readonly exclude: readonly string[];
  /** Globs that tell checkpoints from other files that are left out; by themselves they leave nothing out. */
  readonly checkpoints: readonly string[];
  readonly bytesMax: number;
}

/** Paths are relative to the session. A glob without `/` means the name at any depth, one that ends in `/` all below. */
export function createCompanionFilter(
  rules: CompanionRules,
): (path: WatchedPath, sizeBytes: number) => CompanionChoice {
  const included = rules.include.length === 0 ? () => true : matcherOf(rules.include);
  const excluded = matcherOf(rules.exclude);
  const checkpoint = matcherOf(rules.checkpoints);
  return (path, sizeBytes) => {
    if (baseName(path) === sessionEnvName) return 'excluded';
    if (excluded(path) || !included(path)) return checkpoint(path) ? 'checkpoint' : 'excluded';
    return sizeBytes > rules.bytesMax ? 'tooLarge' : 'companion';
  };
}

function matcherOf(globs: readonly string[]): (path: WatchedPath) => boolean {
  const byName = globs.filter((glob) => !glob.includes('/'));
  const byPath = globs.filter((glob) => glob.includes('/')).map(anchored);
  // `s`: a newline in a name is a character like any other.
  const options = { dot: true, flags: 's', windows: false };
  const nameMatches = byName.length > 0 ? picomatch(byName, options) : () => false;
  const pathMatches = byPath.length > 0 ? picomatch(byPath, options) : () => false;
  return (path) => nameMatches(baseName(path)) || pathMatches(path);
}

function anchored(glob: string): string {
  const relative = glob.replace(/^\.?\//, '');
  return relative.endsWith('/') ? `${relative}**` : relative;
}
