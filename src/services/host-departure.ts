import { planDeparture } from '../domain/departure.ts';
import type { WatchedPath } from '../domain/watched-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { Events } from '../ports/events.ts';
import type { HostFate } from '../ports/host-fate.ts';
import type { SessionObserver } from './session-observer.ts';
import type { SessionSnapshots } from './session-snapshots.ts';
import type { TrackedSessions } from './tracked-sessions.ts';

export interface DepartureOptions {
  readonly fate: HostFate;
  readonly sessions: () => TrackedSessions;
  readonly observer: Pick<SessionObserver, 'early'>;
  readonly snapshots: Pick<SessionSnapshots, 'renew'>;
  readonly clock: Clock;
  readonly events: Events;
  readonly settleMs: () => number;
  /** There is no time left for looking with care. */
  readonly onHurry: () => void;
  readonly onDue: (root: WatchedPath) => void;
}

/**
 * After a signal that asks us to end within `timeoutMs`, beside the drain that it begins: on a host that is going with us,
 * open sessions end too, and what is there of them is sent at once (ADR 41). On one that stays nothing is done.
 */
export async function departWithHost(options: DepartureOptions, timeoutMs: number): Promise<void> {
  const { fate, sessions, observer, snapshots, clock, events, settleMs, onHurry, onDue } = options;
  const sinceMs = clock.monotonicMs();
  const because = await fate.goingBecause();
  if (because === undefined) return;
  const departure = planDeparture({ because, sinceMs, timeoutMs, settleMs: settleMs() });
  observer.early.leave(departure);
  events.emit('host.going', { because, quietMs: departure.quietMs });
  onHurry();
  for (const tracked of sessions().open()) {
    if (tracked.record) snapshots.renew(tracked);
    tracked.lookAtMs = sinceMs;
    onDue(tracked.root);
  }
}
