import type { Clock } from '../ports/clock.ts';
import type { FileSource, Listing } from '../ports/file-source.ts';

/** Milliseconds spent in listing and scanning, whatever else was done between them. */
export interface LookingTime {
  spentMs: number;
}

/** As much of the watched folder as a survey needs. */
export type FolderLooks = Pick<FileSource, 'list' | 'scan'>;

/** The same looks; the time that its looks at the folder take is added to `time`. */
export function meterLooks(source: FolderLooks, clock: Clock, time: LookingTime): FolderLooks {
  const metered = async (look: Promise<Listing | undefined>): Promise<Listing | undefined> => {
    const startedMs = clock.monotonicMs();
    try {
      return await look;
    } finally {
      time.spentMs += clock.monotonicMs() - startedMs;
    }
  };
  return {
    list: (at, signal) => metered(source.list(at, signal)),
    scan: (at, signal) => metered(source.scan(at, signal)),
  };
}
