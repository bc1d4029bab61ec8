import type { ObjectStore } from '../ports/object-store.ts';
import type { PartStore } from '../ports/part-store.ts';
import type { RequestLimit } from './request-limit.ts';
import type { TransferRate } from './transfer-rate.ts';

export interface Pace {
  readonly limit: RequestLimit;
  readonly rate: TransferRate;
}

/** The same store with no more requests at once than it bears, and with the rate of its transfers measured. */
export function paceStore(store: ObjectStore, { limit, rate }: Pace): ObjectStore {
  return {
    name: store.name,
    get createIsAtomic() {
      return store.createIsAtomic;
    },
    get createSettleMs() {
      return store.createSettleMs;
    },
    find: (key, signal) => limit.run(() => store.find(key, signal)),
    get: (key, bytesMax, signal) => limit.run(() => store.get(key, bytesMax, signal)),
    // Mostly reads the file: not to be held back by the destination.
    verify: (object, source, signal) => store.verify(object, source, signal),
    put: (request, signal) =>
      limit.run(() =>
        rate.measure(request.source.sizeBytes, (moved) =>
          store.put({ ...request, onProgress: both(moved, request.onProgress) }, signal),
        ),
      ),
    parts: store.parts && paceParts(store.parts, { limit, rate }),
    close: () => store.close(),
  };
}

function paceParts(parts: PartStore, { limit, rate }: Pace): PartStore {
  return {
    get layout() {
      return parts.layout;
    },
    begin: (request, signal) => limit.run(() => parts.begin(request, signal)),
    send: (upload, part, source, signal, onProgress) =>
      limit.run(() =>
        rate.measure(part.sizeBytes, (moved) =>
          parts.send(upload, part, source, signal, both(moved, onProgress)),
        ),
      ),
    copy: (upload, part, from, crc32, signal) =>
      limit.run(() => parts.copy(upload, part, from, crc32, signal)),
    complete: (upload, sent, condition, signal) =>
      limit.run(() => parts.complete(upload, sent, condition, signal)),
    abort: (upload, signal) => limit.run(() => parts.abort(upload, signal)),
  };
}

type OnProgress = (sentBytes: number) => void;

function both(one: OnProgress, other: OnProgress | undefined): OnProgress {
  if (other === undefined) return one;
  return (sentBytes) => {
    one(sentBytes);
    other(sentBytes);
  };
}
