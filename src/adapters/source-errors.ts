import type { ByteSource } from '../ports/object-store.ts';

export interface WatchedSource {
  readonly source: ByteSource;
  /** Whether the source threw this: such an error is passed on as it is. */
  threw(error: unknown): boolean;
}

export function watchErrors(source: ByteSource): WatchedSource {
  const thrown = new WeakSet<object>();
  const remember = (error: unknown) => {
    if (error instanceof Object) thrown.add(error);
    throw error;
  };
  return {
    source: {
      sizeBytes: source.sizeBytes,
      encoding: source.encoding,
      read: (position, length, into) => source.read(position, length, into).catch(remember),
      assertUnchanged: () => source.assertUnchanged().catch(remember),
    },
    threw: (error) => error instanceof Object && thrown.has(error),
  };
}
