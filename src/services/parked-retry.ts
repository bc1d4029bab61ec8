import type { RetryAnswer } from '../ports/agent-requests.ts';
import type { Events } from '../ports/events.ts';
import type { Journal, RetriedWork } from '../ports/journal.ts';
import type { FolderWatcher } from './folder-watcher.ts';
import type { SessionTracker } from './session-tracker.ts';
import type { Uploader } from './uploader.ts';

export interface ParkedRetryOptions {
  readonly journal: Journal;
  readonly folder: string;
  readonly events: Events;
  readonly tracker: Pick<SessionTracker, 'sessions'>;
  readonly watcher: Pick<FolderWatcher, 'lookAt'>;
  readonly uploader: Pick<Uploader, 'wake'>;
}

/** Takes up what was parked while all goes on: what can be sent is due, what must be looked at first is looked at now. */
export function retryParked(
  { journal, folder, events, tracker, watcher, uploader }: ParkedRetryOptions,
  ids: readonly string[] | 'all',
): RetryAnswer {
  const work = journal.retry(folder, ids);
  for (const { root, at, session, files, log } of work.takenUp) {
    if (at === 'end') continue;
    events.emit('session.retried', { session, files: files + (log ? 1 : 0) });
    if (at === 'queue') continue;
    tracker.sessions.tryAgain(root);
    watcher.lookAt(root);
  }
  uploader.wake();
  return retryAnswer(work);
}

export function retryAnswer({ takenUp, notParked, unknown }: RetriedWork): RetryAnswer {
  const retried = takenUp.map(({ session, files, log, at }) => ({
    session,
    files,
    log,
    isGone: at === 'end',
  }));
  return { version: 1, retried, notParked, unknown };
}
