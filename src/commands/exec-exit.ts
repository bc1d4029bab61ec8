import { constants } from 'node:os';
import { systemClock } from '../adapters/system-time.ts';
import type { CommandEnd } from '../exec/outcome.ts';
import type { OwnProcess } from './edge.ts';
import type { SignalRelay } from './exec-signals.ts';

/** A signal that leaves a core dump would leave one of ours, too. */
const dumping = [
  'SIGQUIT',
  'SIGILL',
  'SIGTRAP',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGSEGV',
  'SIGXCPU',
  'SIGXFSZ',
  'SIGSYS',
];
const deathMs = 200;

/** The command's own exit code; ended by a signal, we end by the same one, or with 128 and its number as shells do. */
export async function exitByEnd(end: CommandEnd, own: OwnProcess, relay: SignalRelay): Promise<number> {
  if ('code' in end) return end.code;
  const number = Object.entries(constants.signals).find(([name]) => name === end.signal)?.[1] ?? 0;
  if (!dumping.includes(end.signal)) {
    relay.stop();
    own.dieBy(end.signal as NodeJS.Signals);
    // Still here: process 1 of a container is not ended by its own signals.
    await systemClock.sleep(deathMs);
  }
  return 128 + number;
}
