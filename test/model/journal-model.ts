import { advanceJob, type JobEvent, type JobState } from '../../src/domain/upload-job.ts';
import { inDoubt, withoutDoubt } from '../../src/ports/file-source.ts';

/** What a session's files must be, by the rules alone: no SQL, no order of writes, no disk. */
export interface ModelFile {
  /** Of the bytes that were last queued; '' when another look must tell. */
  version: string;
  job: JobState | 'unqueued';
  /** Version of the object that a receipt vouches for. */
  receipt: string | undefined;
  /** A companion for good. */
  wasQueued: boolean;
  /** How often a try at this very version has failed. */
  failures: number;
}

const halfWritten = '';

const none = { receipt: undefined, wasQueued: false, failures: 0 };

export class ModelSession {
  /** What lies in the directory; `?` after a version: still being written. */
  readonly disk = new Map<string, string>();
  readonly files = new Map<string, ModelFile>();
  revision = 0;

  look(): void {
    for (const [path, file] of this.files) {
      if (file.job !== 'unqueued' || file.version !== halfWritten || this.disk.has(path)) continue;
      if (file.wasQueued) file.job = { at: 'gone' };
      else this.files.delete(path);
    }
    for (const [path, found] of this.disk) {
      const before = this.files.get(path);
      const isChanging = found.endsWith('?');
      const isHere = before?.version === found && ['uploaded', 'parked'].includes(this.at(path));
      if (isHere) continue;
      if (isChanging) this.files.set(path, { ...none, ...before, version: halfWritten, job: 'unqueued' });
      else this.queue(path, found, before);
    }
  }

  private queue(path: string, version: string, before: ModelFile | undefined): void {
    const isSame = before?.version === version && before.job !== 'unqueued' && before.job.at === 'pending';
    const job = isSame ? before.job : advanceJob({ at: 'gone' }, { type: 'changed' });
    const failures = before?.version === version ? before.failures : 0;
    this.files.set(path, { version, job, receipt: before?.receipt, wasQueued: true, failures });
  }

  at(path: string): string {
    const job = this.files.get(path)?.job ?? 'unqueued';
    return job === 'unqueued' ? job : job.at;
  }

  /** What happens to the version that was sent; a newer one keeps waiting. */
  happen(path: string, version: string, event: JobEvent): void {
    const file = this.files.get(path);
    if (file === undefined) return;
    if (event.type === 'verified') file.receipt = version;
    if (file.job === 'unqueued' || file.version !== version) return;
    if (event.type === 'failed') file.failures += 1;
    file.job = advanceJob(advanceJob(file.job, { type: 'started' }), event);
  }

  /** What is parked gets another chance, attempts begin anew. */
  crash(): void {
    for (const file of this.files.values()) {
      if (file.job === 'unqueued') continue;
      if (file.job.at === 'parked') file.version = '';
      if (file.job.at === 'pending') file.job = { at: 'pending', attempts: 0 };
    }
  }

  /** A person takes up what is parked: jobs again where the session waits to be shipped, else once it is looked at. */
  retry(isQueued: boolean): void {
    for (const file of this.files.values()) {
      if (file.job === 'unqueued' || file.job.at !== 'parked' || file.version === '') continue;
      file.version = isQueued ? withoutDoubt(file.version) : inDoubt(file.version);
      if (isQueued) file.job = advanceJob(file.job, { type: 'retried' });
      file.failures = 0;
    }
  }

  rename(): void {
    this.revision = 0;
    for (const file of this.files.values()) {
      file.receipt = undefined;
      if (file.job !== 'unqueued' && file.job.at === 'uploaded') file.job = { at: 'pending', attempts: 0 };
      else if (file.job !== 'unqueued' && file.job.at === 'pending')
        file.job = { at: 'pending', attempts: 0 };
    }
  }
}
