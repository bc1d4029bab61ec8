import type { FailureKind } from './failure.ts';

/**
 * A companion's way to the bucket.
 *
 *   state      means                                         leaves by
 *   pending    to be sent (a crash in `uploading` is here)   started -> uploading · vanished -> gone
 *   uploading  memory only                                   verified -> uploaded · vanished -> gone · changed -> pending
 *                                                            failed by kind:
 *                                                              transient -> pending, attempts + 1, later
 *                                                              blocked, cancelled -> pending, nothing spent
 *                                                              permanent -> parked
 *   uploaded   verified, with a receipt                      changed -> pending
 *   parked     needs a person                                changed, retried -> pending
 *   gone       vanished before it could be sent              changed -> pending (it is there again)
 *
 * `changed` begins the attempts anew, in `pending` too.
 */
export type JobState =
  | { readonly at: 'pending'; readonly attempts: number }
  | { readonly at: 'uploading'; readonly attempts: number }
  | { readonly at: 'uploaded' }
  | { readonly at: 'parked' }
  | { readonly at: 'gone' };

export type JobEvent =
  | { readonly type: 'started' }
  | { readonly type: 'verified' }
  | { readonly type: 'failed'; readonly kind: FailureKind }
  | { readonly type: 'vanished' }
  | { readonly type: 'changed' }
  | { readonly type: 'retried' };

export function advanceJob(job: JobState, event: JobEvent): JobState {
  switch (event.type) {
    case 'started':
      return job.at === 'pending' ? { at: 'uploading', attempts: job.attempts } : job;
    case 'verified':
      return job.at === 'uploading' ? { at: 'uploaded' } : job;
    case 'failed':
      return job.at === 'uploading' ? afterFailure(job.attempts, event.kind) : job;
    case 'vanished':
      return job.at === 'uploading' || job.at === 'pending' ? { at: 'gone' } : job;
    case 'changed':
      return { at: 'pending', attempts: 0 };
    case 'retried':
      return job.at === 'parked' ? { at: 'pending', attempts: 0 } : job;
    default:
      return unreachable(event);
  }
}

function afterFailure(attempts: number, kind: FailureKind): JobState {
  switch (kind) {
    case 'transient':
      return { at: 'pending', attempts: attempts + 1 };
    case 'blocked':
    case 'cancelled':
      return { at: 'pending', attempts };
    case 'permanent':
      return { at: 'parked' };
    default:
      return unreachable(kind);
  }
}

function unreachable(value: never): never {
  throw new Error(`no such case: ${JSON.stringify(value)}`);
}
