import { createHash } from 'node:crypto';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';

/** Where a configuration is loaded: what its relative and computed paths start from. */
export interface Surroundings {
  /** Absolute working directory. */
  readonly cwd: string;
  readonly homeDirectory?: string | undefined;
  readonly isRoot: boolean;
  readonly hostname: string;
}

/** The absolute form of a configured path. `~/` needs a home directory; without one it is undefined. */
export function absolutePath(path: string, { cwd, homeDirectory }: Surroundings): string | undefined {
  if (path !== '~' && !path.startsWith('~/')) return resolve(cwd, path);
  return homeDirectory ? join(homeDirectory, path.slice(1)) : undefined;
}

/** Whether two absolute paths are the same, or `inner` lies below `outer`. By name only: links are not followed. */
export function isWithin(outer: string, inner: string): boolean {
  const way = relative(outer, inner);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** First 12 hex digits of the SHA-256 of the absolute folder: tells the states of several folders apart. */
export function hashFolder(directory: string): string {
  return createHash('sha256').update(directory).digest('hex').slice(0, 12);
}

/**
 * The state directory where none is configured: systemd's (`$STATE_DIRECTORY`, the first of several), root's,
 * or one under the home by host and folder, since homes are shared between hosts. Undefined without a home.
 */
export function defaultStateDirectory(
  watched: string,
  environment: Readonly<Record<string, string | undefined>>,
  { isRoot, homeDirectory, hostname }: Surroundings,
): string | undefined {
  const fromSystemd = environment['STATE_DIRECTORY']?.split(':')[0];
  if (fromSystemd && isAbsolute(fromSystemd)) return resolve(fromSystemd);
  if (isRoot) return '/var/lib/trainlogd';
  // The XDG specification has relative paths ignored.
  const xdg = environment['XDG_STATE_HOME'];
  const base = xdg && isAbsolute(xdg) ? xdg : homeDirectory && join(homeDirectory, '.local/state');
  return base ? join(base, 'trainlogd', hostPart(hostname), hashFolder(watched)) : undefined;
}

function hostPart(hostname: string): string {
  const legal = hostname.replace(/[^A-Za-z0-9._-]/g, '-');
  return /^\.*$/.test(legal) ? 'localhost' : legal;
}
