import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';

/** What the system allows a socket's path to be, with its final NUL. */
const pathBytesMax = 107;

export interface SocketPath {
  readonly path: string;
  /** Once nobody uses the path any more. */
  readonly letGo: () => void;
}

/**
 * The path of a socket in a directory, however long that one's is: state directories carry names of hosts and homes. The
 * directory itself, held open, has a short one, and a socket that was bound by either name is found by the other. Throws
 * the system's error where there is no such directory.
 */
export function socketPath(directory: string, name: string): SocketPath {
  const path = join(directory, name);
  if (Buffer.byteLength(path) <= pathBytesMax) return { path, letGo: () => undefined };
  const held = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${held}/${name}`, letGo: () => closeSync(held) };
}
