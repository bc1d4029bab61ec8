import { type Command, InvalidArgumentError } from 'commander';
import { parseDuration } from '../config/units.ts';
import { legalId } from '../domain/session-identity.ts';
import type { Edge } from './edge.ts';
import type { GlobalFlags } from './inputs.ts';

/** What a group of commands is added to. */
export interface Register {
  readonly edge: Edge;
  readonly program: Command;
  /** Below `parent`, or the program itself. */
  readonly command: (usage: string, description: string, parent?: Command) => Command;
  /** The exit code of the command that ran. */
  readonly give: (code: number) => void;
}

export function flagsOf<T extends GlobalFlags>(self: Command): T {
  return self.optsWithGlobals<T>();
}

/** Parsers of arguments; they throw what commander tells the user. */

export function sessionId(value: string): string {
  if (legalId(value) !== value)
    throw new InvalidArgumentError('An id has letters, digits, dots, dashes and underscores, up to 128.');
  return value;
}

/** Of a script whose variable is not set: it would be the working directory. */
export function directory(value: string): string {
  if (value === '') throw new InvalidArgumentError('A directory has a name; . is the working directory.');
  return value;
}

export function month(value: string): string {
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(value)) throw new InvalidArgumentError('A month is YYYY-MM: 2026-11.');
  return value;
}

export function duration(value: string): number {
  const ms = parseDuration(value);
  if (ms === undefined) throw new InvalidArgumentError('A duration has a unit: 30s, 5m, 2h.');
  return ms;
}

export function durationText(value: string): string {
  if (value !== '') duration(value);
  return value;
}
