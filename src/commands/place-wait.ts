import { checkMount } from '../adapters/check-mount.ts';
import type { Config } from '../config/schema.ts';
import type { Events } from '../ports/events.ts';
import { silentIn } from './answering.ts';
import type { Edge } from './edge.ts';
import { nameOf, type Silent, saidOf } from './no-answer.ts';
import type { Awaited } from './state-wait.ts';

/** The system's word for a server that is gone, where it gives one. */
const code = 'ETIMEDOUT';

/**
 * Before a life: what it would look at does not answer, and who looked would hang with it. So nobody does but a process
 * of its own, again and again, until all of them answer.
 */
export function placeWait(
  edge: Edge,
  config: Config,
  silent: readonly [Silent, ...Silent[]],
  events: Events,
): Awaited {
  const cause = silent.map(saidOf).join(', ');
  return {
    of: nameOf(silent[0]),
    trouble: { kind: 'disk', code, cause, remedy: checkMount },
    isReadable: silent.every(([place]) => place !== 'state'),
    probe: async () => ((await silentIn(edge, config)).length === 0 ? undefined : code),
    tell: (_, probeInMs) => {
      for (const one of silent) tell(one, probeInMs, events);
    },
    over: (forMs) => {
      for (const one of silent) tellOver(one, forMs, events);
    },
  };
}

function tell([place, path]: Silent, probeInMs: number, events: Events): void {
  const cause = saidOf([place, path]);
  const remedy = checkMount;
  if (place === 'destination')
    events.emit('destination.blocked', { destination: path, code, cause, remedy, probeInMs });
  else if (place === 'state') events.emit('journal.trouble', { state: path, code, cause, remedy, probeInMs });
  else
    events.emit('folder.missing', {
      folder: JSON.stringify(path),
      remedy: `it does not answer: ${remedy}; trainlogd asks again`,
    });
}

function tellOver([place, path]: Silent, forMs: number, events: Events): void {
  if (place === 'destination') events.emit('destination.open', { destination: path, blockedForMs: forMs });
  else if (place === 'state') events.emit('journal.usable', { state: path, forMs });
  else events.emit('folder.found', { folder: JSON.stringify(path) });
}
