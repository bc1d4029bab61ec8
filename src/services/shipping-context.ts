import type { RetryLimits } from '../domain/retry-policy.ts';
import type { Clock } from '../ports/clock.ts';
import type { Events } from '../ports/events.ts';
import type { FileSource } from '../ports/file-source.ts';
import type { Journal, SessionIdentity } from '../ports/journal.ts';
import type { ObjectStore, StoredObject } from '../ports/object-store.ts';
import type { DestinationGate } from './destination-gate.ts';
import type { Turns } from './turns.ts';

/**
 * By session: one turn from the first claim that is made to the journal's word of all of them, one for each that is let
 * go. Outside of these, the journal knows which claims are needed.
 */
export type Claiming = Turns<number>;

/** What everything that ships shares. */
export interface ShippingContext {
  readonly source: FileSource;
  readonly journal: Journal;
  readonly store: ObjectStore;
  readonly gate: DestinationGate;
  readonly clock: Clock;
  readonly events: Events;
  readonly retry: RetryLimits;
  readonly keyTemplate: string;
  readonly logBytesMax: number;
  readonly claiming: Claiming;
}

/** Thrown when a key that this session wants holds another session's object: the whole session moves to another id. */
export class IdentityTaken extends Error {
  override readonly name = 'IdentityTaken';
}

/** Objects carry where they came from; one without is somebody else's, whatever its key. */
export function isOurs(object: StoredObject, identity: SessionIdentity): boolean {
  return object.metadata['origin'] === identity.origin;
}

export function objectMetadata(context: ShippingContext, identity: SessionIdentity): Record<string, string> {
  return { session: identity.id, origin: identity.origin, writer: context.journal.writer };
}
