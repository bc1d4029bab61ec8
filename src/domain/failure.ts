/**
 * What can go wrong with work that is queued, in the four kinds that decide what the queue does next.
 * Only adapters read provider codes and errno; everything else sees these.
 *
 *   transient   this job later: back off, attempts + 1
 *   blocked     all jobs later: the destination is paused and probed, no attempts are spent
 *   permanent   this job is parked until a person acts
 *   cancelled   we stopped it ourselves: not a failure, the job stays pending
 */
export type FailureKind = 'transient' | 'blocked' | 'permanent' | 'cancelled';

export interface FailureFields {
  readonly kind: FailureKind;
  /** The provider's or the system's own code, for people who search for it: `SlowDown`, `EACCES`. */
  readonly code: string;
  /** What was attempted, on what (quoted), and what was found. One sentence, no secrets, no full stop. */
  readonly attempted: string;
  /** What a person can do about it. Required for `blocked` and `permanent`. */
  readonly remedy?: string;
  readonly retryAfterMs?: number;
  /** The destination asks for fewer requests, from all of us. */
  readonly throttled?: boolean;
  /** Refused for who we are or what we may, by a destination that was reached. */
  readonly denied?: boolean;
  readonly cause?: unknown;
}

export class Failure extends Error {
  override readonly name = 'Failure';
  readonly kind: FailureKind;
  readonly code: string;
  readonly remedy: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly throttled: boolean;
  readonly denied: boolean;

  constructor(fields: FailureFields) {
    super(fields.attempted, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.kind = fields.kind;
    this.code = fields.code;
    this.remedy = fields.remedy;
    this.retryAfterMs = fields.retryAfterMs;
    this.throttled = fields.throttled ?? false;
    this.denied = fields.denied ?? false;
  }
}

/**
 * Another object is where we wanted to write, or the one that we wanted to replace is no longer the one there.
 * Not a failure of the destination: the caller looks what is there and decides.
 */
export class Conflict extends Error {
  override readonly name = 'Conflict';
  readonly key: string;

  constructor(key: string, found: string) {
    super(`writing ${JSON.stringify(key)}: ${found}`);
    this.key = key;
  }
}

/** The destination does not know an upload in parts any more, and its object is not there: it is begun anew. */
export class UploadGone extends Error {
  override readonly name: string = 'UploadGone';
  readonly key: string;

  constructor(key: string) {
    super(`sending ${JSON.stringify(key)}: the destination does not know this upload any more`);
    this.key = key;
  }
}

/** The destination took the parts of an upload one by one, and refuses to make an object of them. */
export class PartsRefused extends UploadGone {
  override readonly name = 'PartsRefused';
  /** The destination's own: `InvalidPart`, `EntityTooSmall`. */
  readonly code: string;

  constructor(key: string, code: string) {
    super(key);
    this.code = code;
    this.message = `sending ${JSON.stringify(key)}: the destination took its parts and refuses them now (${code})`;
  }
}

/** A file of the watched folder is not what the listing said; names the reason that the session log will give. */
export type FileFailureReason = 'vanished' | 'unreadable' | 'changing';

export class FileFailure extends Error {
  override readonly name = 'FileFailure';
  readonly reason: FileFailureReason;
  readonly code: string;
  readonly remedy: string;

  constructor(reason: FileFailureReason, code: string, attempted: string, remedy: string) {
    super(attempted);
    this.reason = reason;
    this.code = code;
    this.remedy = remedy;
  }
}
