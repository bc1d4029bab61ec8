import { companionKey, sessionLogKey } from '../domain/object-key.ts';
import { suffixedId } from '../domain/session-identity.ts';
import type { SessionIdentity } from '../ports/journal.ts';
import { idWarning } from './identify.ts';
import type { ShippingContext } from './shipping-context.ts';

/** The id is another session's in the bucket: nothing there is touched, all of this session moves to an id of its own. */
export function renameSession(context: ShippingContext, sid: number): void {
  const { journal, events, keyTemplate } = context;
  const shipment = journal.shipment(sid);
  if (!shipment) return;
  const { identity } = shipment;
  let id = suffixedId(identity.id, identity.origin);
  for (let attempt = 1; journal.idHolder(id) !== undefined; attempt++) {
    id = suffixedId(identity.id, `${identity.origin}-${attempt}`);
  }
  const reason = 'the bucket holds another session under that id';
  const renamed: SessionIdentity = {
    ...identity,
    id,
    key: sessionLogKey(keyTemplate, identity.startedAtMs, id),
    warnings: [...identity.warnings, idWarning(identity.id, reason, id)],
  };
  journal.rename(sid, renamed, (path) => companionKey(keyTemplate, identity.startedAtMs, id, path).key);
  events.emit('session.renamed', { session: id, wanted: identity.id, reason });
}
