import type { ObjectStore } from '../../src/ports/object-store.ts';
import type { PartStore } from '../../src/ports/part-store.ts';

/** The same store, in which sending this part, or completing, does not begin before `until` ends. */
export function holdPart(store: ObjectStore, what: number | 'complete', until: Promise<void>): ObjectStore {
  const { parts } = store;
  if (!parts) throw new Error('the store knows no parts');
  const send: PartStore['send'] = async (upload, part, source, signal, onProgress) => {
    if (part.number === what) await until;
    return parts.send(upload, part, source, signal, onProgress);
  };
  const complete: PartStore['complete'] = async (upload, sent, condition, signal) => {
    if (what === 'complete') await until;
    return parts.complete(upload, sent, condition, signal);
  };
  const held: PartStore = {
    layout: parts.layout,
    begin: parts.begin.bind(parts),
    send,
    copy: parts.copy.bind(parts),
    complete,
    abort: parts.abort.bind(parts),
  };
  return {
    name: store.name,
    createIsAtomic: store.createIsAtomic,
    createSettleMs: store.createSettleMs,
    find: store.find.bind(store),
    get: store.get.bind(store),
    verify: store.verify.bind(store),
    put: store.put.bind(store),
    parts: held,
    close: store.close.bind(store),
  };
}
