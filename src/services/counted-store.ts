import type { ObjectStore } from '../ports/object-store.ts';

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
  return {
    name: store.name,
    createIsAtomic: store.createIsAtomic,
    createSettleMs: store.createSettleMs,
    find: (key, signal) => read(store.find(key, signal)),
    get: (key, bytesMax, signal) => read(store.get(key, bytesMax, signal)),
    verify: (object, source, signal) => store.verify(object, source, signal),
    put: async (request, signal) => {
      const receipt = await store.put(request, signal);
      served.writes += 1;
      return receipt;
    },
    parts: store.parts,
    close: () => store.close(),
  };
}
