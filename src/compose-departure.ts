import { createHostFate } from './adapters/host-fate.ts';
import { isEmptyDir, mountOf } from './doctor/mounts.ts';
import type { Clock } from './ports/clock.ts';
import type { Events } from './ports/events.ts';
import type { FolderWatcher } from './services/folder-watcher.ts';
import { departWithHost } from './services/host-departure.ts';
import type { LookRests } from './services/look-rests.ts';
import type { SessionObserver } from './services/session-observer.ts';
import type { SessionSnapshots } from './services/session-snapshots.ts';
import type { SessionTracker } from './services/session-tracker.ts';

export interface Departing {
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly events: Events;
  readonly tracker: SessionTracker;
  readonly observer: SessionObserver;
  readonly snapshots: SessionSnapshots;
  readonly watcher: FolderWatcher;
  readonly looking: LookRests;
  readonly settleMs: () => number;
}

/** What is done beside a drain of so long that a signal began. */
export function composeDeparture(of: Departing): (timeoutMs: number) => Promise<void> {
  const { folder, env, tracker, watcher, looking, ...others } = of;
  const departure = {
    ...others,
    fate: createHostFate({ env, isEmptyDir: () => isOnEmptyDir(folder) }),
    sessions: () => tracker.sessions,
    onHurry: () => looking.hurry(),
    onDue: (root: string) => watcher.lookAt(root),
  };
  return (timeoutMs) => departWithHost(departure, timeoutMs);
}

async function isOnEmptyDir(folder: string): Promise<boolean> {
  const mount = await mountOf('/proc', folder);
  return mount !== undefined && isEmptyDir(mount);
}
