import { sessionLogKey } from '../domain/object-key.ts';
import { suffixedId } from '../domain/session-identity.ts';
import type { SessionIdentity } from '../ports/journal.ts';
import { companionKeys } from './companion-keys.ts';
import { idWarning } from './identify.ts';
import type { LogShipping } from './log-shipping.ts';
import type { ShippingContext } from './shipping-context.ts';

/**
 * The id is another session's in the bucket: nothing there is touched, all of this session moves to an id of its own. A
 * log that it has under the old id already, all pending, says so first. Throws Failure when that cannot be written.
 */
export async function renameSession(
  context: ShippingContext,
  logs: LogShipping,
  sid: number,
  signal: AbortSignal,
): Promise<void> {
  const { journal, events, gate, keyTemplate } = context;
  const shipment = journal.shipment(sid);
  if (!shipment) return;
  const { identity } = shipment;
  let id = suffixedId(identity.id, identity.origin);
  for (let attempt = 1; journal.idHolder(id) !== undefined; attempt++) {
    id = suffixedId(identity.id, `${identity.origin}-${attempt}`);
  }
  const reason = 'the bucket holds another session under that id';
  const warning = idWarning(identity.id, reason, id);
  const isTold = await gate.through(signal, sid, () => logs.retire(sid, warning, signal));
  // Stopped: the next pass meets the other session again.
  if (isTold === undefined) return;
  const renamed: SessionIdentity = {
    ...identity,
    id,
    key: sessionLogKey(keyTemplate, identity.startedAtMs, id),
    warnings: [...identity.warnings, warning],
  };
  const known = new Map(journal.files(sid).map((file) => [file.path, file]));
  const keyOf = companionKeys({
    keyTemplate,
    identity: renamed,
    known,
    companions: [...known.values()],
    wanted: 'none',
  });
  journal.rename(sid, renamed, (path) => keyOf({ path, sizeBytes: 0 }));
  logs.forget(sid);
  events.emit('session.renamed', { session: id, wanted: identity.id, reason });
}
