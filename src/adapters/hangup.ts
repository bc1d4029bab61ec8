import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * Was this process started by nohup? Node forgets at its start which signals it was to ignore, so that is told by what
 * else nohup leaves: its name in `_`, where the shell sets that, and /dev/null, opened for writing, as standard input.
 */
export function isUnderNohup(env: Readonly<Record<string, string | undefined>>): boolean {
  if (basename(env['_'] ?? '') === 'nohup') return true;
  try {
    const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync('/proc/self/fdinfo/0', 'latin1'))?.[1] ?? '';
    return readlinkSync('/proc/self/fd/0') === '/dev/null' && (Number.parseInt(flags, 8) & 0o3) === 1;
  } catch {
    return false; // reason: no /proc, or no standard input
  }
}
