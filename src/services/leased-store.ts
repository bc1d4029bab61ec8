import type { ObjectStore } from '../ports/object-store.ts';
import type { PartStore } from '../ports/part-store.ts';
import type { SessionSharing } from './session-sharing.ts';

/**
 * The same store; before anything becomes visible in it, it is asked whether the session is still this host's. A host
 * that was stopped for a while finds out here, whatever it was about to do.
 */
export function guardWrites(
  store: ObjectStore,
  sharing: Pick<SessionSharing, 'assertMayWrite'>,
): ObjectStore {
  return {
    name: store.name,
    get createIsAtomic() {
      return store.createIsAtomic;
    },
    get createSettleMs() {
      return store.createSettleMs;
    },
    find: (key, signal) => store.find(key, signal),
    get: (key, bytesMax, signal) => store.get(key, bytesMax, signal),
    verify: (object, source, signal) => store.verify(object, source, signal),
    put: async (request, signal) => {
      await sharing.assertMayWrite(request.key);
      return store.put(request, signal);
    },
    parts: store.parts && guardParts(store.parts, sharing),
    close: () => store.close(),
  };
}

function guardParts(parts: PartStore, sharing: Pick<SessionSharing, 'assertMayWrite'>): PartStore {
  return {
    get layout() {
      return parts.layout;
    },
    begin: async (request, signal) => {
      await sharing.assertMayWrite(request.key);
      return parts.begin(request, signal);
    },
    // Nobody sees a part; a session that is another's by now is not worth its way.
    send: async (upload, part, source, signal, onProgress) => {
      await sharing.assertMayWrite(upload.key);
      return parts.send(upload, part, source, signal, onProgress);
    },
    copy: async (upload, part, from, crc32, signal) => {
      await sharing.assertMayWrite(upload.key);
      return parts.copy(upload, part, from, crc32, signal);
    },
    complete: async (upload, sent, condition, signal) => {
      await sharing.assertMayWrite(upload.key);
      return parts.complete(upload, sent, condition, signal);
    },
    abort: (upload, signal) => parts.abort(upload, signal),
  };
}
