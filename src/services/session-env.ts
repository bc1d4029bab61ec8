import { FileFailure } from '../domain/failure.ts';
import { sessionEnvName } from '../domain/session-env.ts';
import { joinPath, type WatchedPath } from '../domain/watched-path.ts';
import type { Entry, FileSource } from '../ports/file-source.ts';
import type { Variables } from '../probes/probe.ts';
import { pickVariables } from '../probes/variables-text.ts';

export const sessionEnvBytesMax = 64 * 1024;

export interface SessionEnv {
  readonly variables: Variables;
  readonly warnings: readonly string[];
}

/** The variables of these names in a session's session.env; undefined where there is none. */
export async function readSessionEnv(
  source: FileSource,
  root: WatchedPath,
  files: readonly Entry[],
  names: ReadonlySet<string>,
): Promise<SessionEnv | undefined> {
  const path = joinPath(root, sessionEnvName);
  const entry = files.find((file) => file.path === path);
  if (!entry) return undefined;
  try {
    const file = await source.open(entry.path);
    try {
      const complete = file.sizeBytes <= sessionEnvBytesMax;
      const bytes = await file.read(0, Math.min(file.sizeBytes, sessionEnvBytesMax));
      const tooLong = `${sessionEnvName}: ${file.sizeBytes} bytes, more than the ${sessionEnvBytesMax} that are read`;
      return { variables: pickVariables(bytes, names, { complete }), warnings: complete ? [] : [tooLong] };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!(error instanceof FileFailure)) throw error;
    return { variables: {}, warnings: [`${sessionEnvName}: ${error.message}`] };
  }
}
