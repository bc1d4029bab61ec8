import type { ObjectStore } from '../ports/object-store.ts';
import type { PartStore } from '../ports/part-store.ts';

/** Counts what a destination did as asked, for whoever must know whether it works. */
export interface Served {
  reads: number;
  writes: number;
}

/** The same store, its successes counted in `served`. */
export function countServed(store: ObjectStore, served: Served): ObjectStore {
  const read = async <T>(request: Promise<T>): Promise<T> => {
    const answer = await request;
    served.reads += 1;
    return answer;
  };
  const write = async <T>(request: Promise<T>): Promise<T> => {
    const answer = await request;
    served.writes += 1;
    return answer;
  };
  return {
    name: store.name,
    // Some destinations know it only after their first write.
    get createIsAtomic() {
      return store.createIsAtomic;
    },
    get createSettleMs() {
      return store.createSettleMs;
    },
    find: (key, signal) => read(store.find(key, signal)),
    get: (key, bytesMax, signal) => read(store.get(key, bytesMax, signal)),
    verify: (object, source, signal) => store.verify(object, source, signal),
    put: (request, signal) => write(store.put(request, signal)),
    parts: store.parts && countParts(store.parts, write),
    close: () => store.close(),
  };
}

function countParts(parts: PartStore, write: <T>(request: Promise<T>) => Promise<T>): PartStore {
  return {
    get layout() {
      return parts.layout;
    },
    begin: (request, signal) => write(parts.begin(request, signal)),
    send: (upload, part, source, signal, onProgress) =>
      write(parts.send(upload, part, source, signal, onProgress)),
    // Not counted: a denied copy is an answer, too.
    copy: (upload, part, from, crc32, signal) => parts.copy(upload, part, from, crc32, signal),
    complete: (upload, sent, condition, signal) => write(parts.complete(upload, sent, condition, signal)),
    // Nor this: it may be denied, and needs a right that nothing else needs.
    abort: (upload, signal) => parts.abort(upload, signal),
  };
}
