import type { Variables } from './probe.ts';

/**
 * Picks single variables out of an environment as bytes: `NAME=value`, one after the other, separated by a newline
 * (what `env` prints, session.env) or by a NUL (/proc/PID/environ, proc(5)). Whatever else stands there is never turned
 * into text, so that nothing of it can be kept.
 */
const valueBytesMax = 16 * 1024;
const nameBytesMax = 128;
const [newline, equals] = [0x0a, 0x3d];

/** `complete`: false when the bytes were cut; then the last entry may be half of one. The last of a name counts. */
export function pickVariables(
  bytes: Buffer,
  names: ReadonlySet<string>,
  { separator = newline, complete = true }: { separator?: number; complete?: boolean } = {},
): Variables {
  const picked = new Map<string, string>();
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(separator, start);
    if (found < 0 && !complete) break;
    const end = found < 0 ? bytes.length : found;
    pickEntry(bytes.subarray(start, end), names, picked, separator === newline);
    start = end + 1;
  }
  return Object.fromEntries(picked);
}

function pickEntry(
  entry: Buffer,
  names: ReadonlySet<string>,
  picked: Map<string, string>,
  isText: boolean,
): void {
  const at = entry.subarray(0, nameBytesMax).indexOf(equals);
  if (at < 0 || entry.length - at > valueBytesMax) return;
  const before = entry.toString('latin1', 0, at);
  // As shells write them; a byte order mark may come before the first.
  const name = isText ? before.replace(/^(?:\xef\xbb\xbf)?\s*(?:export\s+)?/, '').trimEnd() : before;
  if (!names.has(name)) return;
  const value = entry.toString('utf8', at + 1);
  picked.set(name, isText ? unquoted(value.trim()) : value);
}

function unquoted(value: string): string {
  return /^"([^"]*)"$/.exec(value)?.[1] ?? /^'([^']*)'$/.exec(value)?.[1] ?? value;
}

/** As `session.env` holds them: those of these names that are set and fit on a line. */
export function variablesText(
  environment: Readonly<Record<string, string | undefined>>,
  names: ReadonlySet<string>,
): string {
  const lines = [...names].toSorted().flatMap((name) => {
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    const fits = value && Buffer.byteLength(value) < valueBytesMax && !/[\r\n\0]/.test(value);
    return fits ? [`${name}=${value}\n`] : [];
  });
  return lines.join('');
}
