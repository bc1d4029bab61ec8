import type { Events } from '../ports/events.ts';
import { type Edge, exitCode } from './edge.ts';
import { oneLine } from './one-line.ts';
import type { Awaited } from './state-wait.ts';
import type { Located } from './status-without-agent.ts';
import { unsentInJournal } from './status-without-agent.ts';

export interface Hindrance {
  readonly what: string;
  readonly code: string;
  readonly cause: string;
  readonly remedy: string;
}

/** Every file that did not get there, by name; 75 when there is one. */
export function sayUnsent(
  edge: Edge,
  events: Events,
  left: readonly string[],
  why: Hindrance | undefined,
): number {
  const code = left.length === 0 ? exitCode.ok : exitCode.unsent;
  for (const line of left) edge.stderr(`unsent: ${oneLine(line)}\n`);
  if (why && left.length > 0)
    edge.stderr(
      `why: ${oneLine(why.what)} is not usable, ${why.code}: ${oneLine(why.cause)}: ${why.remedy}\n`,
    );
  events.emit('daemon.stopped', { unsent: left.length, exitCode: code });
  return code;
}

/** The same of an agent that could not even begin. */
export function sayNothingBegan(
  edge: Edge,
  events: Events,
  { config, folder }: Located,
  { of, trouble, isReadable }: Awaited,
): number {
  const { directory } = config.state;
  const left = [
    ...(isReadable ? unsentInJournal(directory, folder) : []),
    `${folder}: what is not in the bucket yet goes on at the next start`,
  ];
  const what = of ?? `the state directory ${JSON.stringify(directory)}`;
  return sayUnsent(edge, events, left, { ...trouble, what });
}
