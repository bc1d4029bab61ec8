import type { LeaseIdentity } from '../domain/lease.ts';
import { sessionLogKey } from '../domain/object-key.ts';
import type { Journal, SessionIdentity } from '../ports/journal.ts';

/** What is recorded must stay what can be read. */
const warningsMax = 50;

/** An identity as a lease tells it to other hosts. */
export function leaseIdentityOf(identity: SessionIdentity): LeaseIdentity {
  const { id, key, startedAtMs, startedBy, origin, unique, warnings } = identity;
  return { id, key, startedAtMs, startedBy, origin, unique, warnings: warnings.slice(0, warningsMax) };
}

/**
 * An identity of a lease as session `sid` may go on under it; undefined when another session has that id. The key is
 * made anew: what stands in a folder that many write to decides nothing about other sessions' objects.
 */
export function usableIdentity(
  inherited: LeaseIdentity | undefined,
  sid: number | undefined,
  { journal, keyTemplate }: { journal: Pick<Journal, 'idHolder'>; keyTemplate: string },
): SessionIdentity | undefined {
  if (!inherited) return undefined;
  const holder = journal.idHolder(inherited.id);
  if (holder !== undefined && holder !== sid) return undefined;
  return { ...inherited, key: sessionLogKey(keyTemplate, inherited.startedAtMs, inherited.id) };
}
