import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from './errno.ts';
import { makeOwnDirectory } from './make-directory.ts';

/** Room for the transitions of a moment; with less, the next life would end as the last one did. */
const probeBytes = 256 * 1024;

/** Undefined when a file can be made, filled and made durable in the directory; else the system's code. */
export function probeStateDirectory(stateDirectory: string): string | undefined {
  const file = join(stateDirectory, '.probe');
  try {
    makeOwnDirectory(stateDirectory);
    const descriptor = openSync(file, 'w', 0o600);
    try {
      const bytes = Buffer.alloc(probeBytes);
      for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
      rmSync(file, { force: true });
    }
    return undefined;
  } catch (error) {
    return errnoOf(error);
  }
}
