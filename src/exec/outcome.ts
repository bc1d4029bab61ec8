import type { JsonObject } from '../domain/json.ts';
import { redactText } from '../domain/redaction.ts';

/** How a command ended: `code` of its own, the `signal` that ended it, or why it never began. */
export type CommandEnd =
  | { readonly code: number }
  | { readonly signal: string }
  | { readonly code: 126 | 127; readonly cause: string };

export interface Run {
  readonly end: CommandEnd;
  /** A signal that asks to end (SIGINT, SIGTERM, SIGHUP, SIGQUIT) came while it ran. */
  readonly wasAsked: boolean;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Monotonic. */
  readonly durationMs: number;
  /** The largest resident memory of any one process of it that was seen. */
  readonly residentBytesMax: number | undefined;
  /** Lines of its output that tell why. */
  readonly lines: readonly string[];
  /** Bytes of output that no log could take, by log. */
  readonly lostBytes: Readonly<Record<string, number>>;
}

export type ExecStatus = 'completed' | 'failed' | 'cancelled';

/** Codes by which shells and programs report the end by one of those signals: 128 + SIGHUP, SIGINT, SIGQUIT, SIGTERM. */
const askedCodes = [129, 130, 131, 143];
const askedSignals = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'];

/**
 *   asked to end                   cancelled, also with code 0: nobody knows whether it was done
 *   ended as if asked              cancelled: somebody asked it without us
 *   code 0                         completed
 *   any other code or signal       failed
 */
export function statusOf({ end, wasAsked }: Pick<Run, 'end' | 'wasAsked'>): ExecStatus {
  if (wasAsked) return 'cancelled';
  if ('signal' in end) return askedSignals.includes(end.signal) ? 'cancelled' : 'failed';
  if (end.code === 0) return 'completed';
  return askedCodes.includes(end.code) ? 'cancelled' : 'failed';
}

const errorLengthMax = 4000;

/** `result.json`. */
export function resultDocument(run: Run): JsonObject {
  const { end, startedAtMs, endedAtMs, durationMs, residentBytesMax, lostBytes } = run;
  const status = statusOf(run);
  const lost = Object.entries(lostBytes).filter(([, bytes]) => bytes > 0);
  return {
    status,
    startedAt: new Date(startedAtMs).toISOString(),
    endedAt: new Date(endedAtMs).toISOString(),
    durationSeconds: Math.round(durationMs) / 1000,
    ...('signal' in end ? { signal: end.signal } : { exitCode: end.code }),
    ...(residentBytesMax !== undefined && { residentBytesMax }),
    ...(lost.length > 0 && { outputLostBytes: Object.fromEntries(lost) }),
    ...(status !== 'completed' && { error: errorText(run) }),
  };
}

function errorText({ end, lines }: Run): string {
  const text = redactText([...lines, describeEnd(end)].join('\n'));
  if (text.length <= errorLengthMax) return text.toWellFormed();
  const headLength = errorLengthMax / 4;
  return `${text.slice(0, headLength)}\n…\n${text.slice(text.length - errorLengthMax + headLength)}`.toWellFormed();
}

export function describeEnd(end: CommandEnd): string {
  if ('cause' in end) return end.cause;
  if ('code' in end) return `it ended with exit code ${end.code}`;
  const likely = end.signal === 'SIGKILL' ? ' (by hand, by the scheduler, or because memory ran out)' : '';
  return `it was ended by ${end.signal}${likely}`;
}

/**
 * What a command's own result.json becomes at its end. Undefined: it stays as it is. A result that the command's end
 * contradicts, or that says nothing of an end, is replaced: its other fields are kept in the new one.
 */
export function correctedResult(found: JsonObject | undefined, ours: JsonObject): JsonObject | undefined {
  if (found === undefined) return ours;
  const said = found['status'];
  const isEnd = said === 'completed' || said === 'failed' || said === 'cancelled';
  if (isEnd && (ours['status'] === 'completed' || said !== 'completed')) return undefined;
  return { ...found, ...ours };
}
