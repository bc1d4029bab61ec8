import { userInfo } from 'node:os';

/** Who runs the process; undefined where nobody says. */
export function userName(env: Readonly<Record<string, string | undefined>>): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return env['USER'] || env['LOGNAME']; // reason: a container's user may have no name
  }
}
