import { baseName, comparePaths, depthOf, joinPath, parentPath, type WatchedPath } from './watched-path.ts';

/**
 * Where sessions start. Decided from names alone; what a directory's names mean is said by `recognise`.
 *
 * With `auto`: a directory with a native file (`certain`) always starts a session; a directory that a reader takes for
 * one run (`likely`) starts one unless it lies inside a session and is not of a layout that repeats runs; one that may
 * yet turn out to be a part of the run around it (`possible`), and a directory straight in the folder with no run in or
 * below it, are candidates that become sessions once they have ended or fallen silent. With a glob, exactly the
 * directories that match it.
 * A root that was decided once stays one: what appears later inside it can only add sessions, never take it away.
 */
export interface SessionRoot {
  readonly path: WatchedPath;
  readonly kind: 'directory' | 'file';
  /** `name` is a candidate until it has ended or fallen silent. */
  readonly by: 'native' | 'reader' | 'glob' | 'name' | 'file' | 'frozen';
}

export type Confidence = 'certain' | 'likely' | 'possible';

export interface RootRules {
  readonly recognise: (names: ReadonlySet<string>, path: WatchedPath) => Confidence | undefined;
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
  const roots = rootsAt(top, inside, names, rules);
  const isNameless = roots.every(({ by }) => by === 'name');
  // The folder itself is no session by its name: what lies straight in it then belongs to none.
  if (isNameless && !inside && !rules.matches && top !== '')
    return [{ path: top, kind: 'directory', by: 'name' }];
  return roots;
}

function rootsAt(path: WatchedPath, inside: boolean, names: DirectoryNames, rules: RootRules): SessionRoot[] {
  const own = names.get(path);
  if (own === undefined || depthOf(path) > rules.depthMax) return [];
  const children = [...own].map((name) => joinPath(path, name)).filter((child) => names.has(child));
  const below = (isInside: boolean) =>
    children.sort(comparePaths).flatMap((child) => rootsAt(child, isInside, names, rules));
  const by = rootReason(path, own, inside, rules) ?? aroundParts(path, children, inside, names, rules);
  if (by === undefined) return below(inside);
  // What is a run for sure inside of what may be one: it is one.
  const isOne = by === 'name' && below(false).some((root) => root.by === 'reader');
  return [{ path, kind: 'directory', by: isOne ? 'reader' : by }, ...below(true)];
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
  if (inside && !repeatsRuns(path)) return undefined;
  return recognised === 'likely' ? 'reader' : 'name';
}

/** A run is not one of its parts: ranks that each write as if they were alone make the directory around them one. */
function aroundParts(
  path: WatchedPath,
  children: readonly WatchedPath[],
  inside: boolean,
  names: DirectoryNames,
  rules: RootRules,
): 'reader' | undefined {
  if (inside || path === '') return undefined;
  const isRun = (part: WatchedPath) =>
    partOfRun.test(baseName(part)) &&
    rootReason(part, names.get(part) ?? new Set(), false, rules) === 'reader';
  return children.some(isRun) ? 'reader' : undefined;
}

const partOfRun = /^(tmp-)?checkpoint-\d+$|^attempt_\d+$|^(rank|local_rank|node)[-_]?\d+$/i;

/** Parts of one run: checkpoints, restarts, ranks, event folders. */
function neverInside(name: string): boolean {
  return partOfRun.test(name) || /^(events?|tensorboard(_logs)?|tb_logs|runs)$/i.test(name);
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
