import { watch } from 'node:fs';
import { isIgnoredName, pathFromBytes, type WatchedPath } from '../domain/watched-path.ts';

export interface TopWatch {
  close(): void;
}

export interface TopWatchListener {
  /** A name straight in the directory; empty where the system does not say which. */
  readonly onName: (name: WatchedPath) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * The system's own watch of one directory: a single one, whatever lies in it. A watcher that lists first what it watches
 * would look at every session in the folder, and remember each, only to say that one was added.
 */
export function watchTop(directory: string, { onName, onError }: TopWatchListener): TopWatch {
  try {
    const watcher = watch(directory, { encoding: 'buffer', persistent: true }, (_event, name) => {
      const path = name === null ? '' : pathFromBytes(name);
      if (!isIgnoredName(path)) onName(path);
    });
    watcher.on('error', onError);
    return watcher;
  } catch (error) {
    onError(error);
    return { close: () => undefined };
  }
}
