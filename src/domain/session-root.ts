import { baseName, comparePaths, depthOf, joinPath, parentPath, type WatchedPath } from './watched-path.ts';

/**
 * Where sessions start. Decided from names alone; what a directory's names mean is said by `recognise`.
 *
 * With `auto`: a directory with a native file (`certain`) always starts a session; a directory that a reader takes for
 * one run (`likely`) starts one unless it lies inside a session and is not of a layout that repeats runs; and a
 * directory straight in the folder with neither in or below it is a candidate that becomes a session by its name once
 * it has ended or fallen silent. With a glob, exactly the directories that match it.
 * A root that was decided once stays one: what appears later inside it can only add sessions, never take it away.
 */
export interface SessionRoot {
  readonly path: WatchedPath;
  readonly kind: 'directory' | 'file';
  /** `name` is a candidate until it has ended or fallen silent. */
  readonly by: 'native' | 'reader' | 'glob' | 'name' | 'file' | 'frozen';
}

export interface RootRules {
  readonly recognise: (names: ReadonlySet<string>, path: WatchedPath) => 'certain' | 'likely' | undefined;
  /** Relative paths of directories that start sessions, instead of `auto`. */
  readonly matches: ((path: WatchedPath) => boolean) | undefined;
  readonly frozen: (path: WatchedPath) => boolean;
  readonly depthMax: number;
}

/** The directories of a listing with the names straight in them. */
export type DirectoryNames = ReadonlyMap<WatchedPath, ReadonlySet<string>>;

export function namesByDirectory(
  at: WatchedPath,
  entries: Iterable<{ readonly path: WatchedPath; readonly kind: string }>,
): DirectoryNames {
  const names = new Map<WatchedPath, Set<string>>([[at, new Set()]]);
  for (const entry of entries) {
    if (entry.kind === 'directory' && !names.has(entry.path)) names.set(entry.path, new Set());
    if (entry.kind !== 'file' && entry.kind !== 'directory') continue;
    const parent = parentPath(entry.path);
    const siblings = names.get(parent) ?? new Set();
    siblings.add(baseName(entry.path));
    names.set(parent, siblings);
  }
  return names;
}

/** Roots in the subtree of one directory straight in the folder. `inside`: the folder itself is a session. */
export function findRoots(
  top: WatchedPath,
  names: DirectoryNames,
  inside: boolean,
  rules: RootRules,
): readonly SessionRoot[] {
  const roots: SessionRoot[] = [];
  visit(top, inside, names, rules, roots);
  // The folder itself is no session by its name: what lies straight in it then belongs to none.
  if (roots.length === 0 && !inside && !rules.matches && top !== '')
    roots.push({ path: top, kind: 'directory', by: 'name' });
  return roots;
}

function visit(
  path: WatchedPath,
  inside: boolean,
  names: DirectoryNames,
  rules: RootRules,
  roots: SessionRoot[],
): void {
  const own = names.get(path);
  if (own === undefined || depthOf(path) > rules.depthMax) return;
  const by = rootReason(path, own, inside, rules);
  if (by) roots.push({ path, kind: 'directory', by });
  const below = [...own].map((name) => joinPath(path, name)).filter((child) => names.has(child));
  for (const child of below.sort(comparePaths)) visit(child, inside || by !== undefined, names, rules, roots);
}

export function rootReason(
  path: WatchedPath,
  names: ReadonlySet<string>,
  inside: boolean,
  rules: RootRules,
): SessionRoot['by'] | undefined {
  if (rules.frozen(path)) return 'frozen';
  if (rules.matches) return rules.matches(path) ? 'glob' : undefined;
  const recognised = rules.recognise(names, path);
  if (recognised === undefined || (inside && neverInside(baseName(path)))) return undefined;
  if (recognised === 'certain') return 'native';
  return !inside || repeatsRuns(path) ? 'reader' : undefined;
}

/** Parts of one run: checkpoints, restarts, ranks, event folders. */
function neverInside(name: string): boolean {
  return /^(tmp-)?checkpoint-\d+$|^attempt_\d+$|^(rank|local_rank|node)[-_]?\d+$|^(events?|tensorboard(_logs)?|tb_logs|runs)$/i.test(
    name,
  );
}

/** Layouts in which a run lies inside what looks like another: Lightning versions, MLflow runs, Hydra multiruns. */
function repeatsRuns(path: WatchedPath): boolean {
  return (
    /(^|\/)version_\d+$/.test(path) ||
    /(^|\/)mlruns\/[^/]+\/[^/]+$/.test(path) ||
    /(^|\/)multirun\/(.+\/)?\d+$/.test(path)
  );
}

/** The innermost root at or above a path. */
export function owningRoot(path: WatchedPath, roots: ReadonlySet<WatchedPath>): WatchedPath | undefined {
  for (let at = path; ; at = parentPath(at)) {
    if (roots.has(at)) return at;
    if (at === '') return undefined;
  }
}
