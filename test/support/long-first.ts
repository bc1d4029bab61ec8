import { join, relative, sep } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Folders whose files last longest, because they wait: for processes, servers and settle times. A fresh clone knows no
 * durations, and by size the longest of all would begin last, when there is nothing left to run beside it. The matrix and
 * the torture, which ask most of the S3 server, are kept apart.
 */
export const longFolders: readonly string[] = ['faults', 'e2e', 'torture'];

/** Within a folder the order is vitest's own: failed ones, long ones, large ones. */
export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rankOf(a.moduleId) - rankOf(b.moduleId));
  }
}

const tests = join(import.meta.dirname, '..');

export function rankOf(file: string): number {
  const [folder = ''] = relative(tests, file).split(sep);
  const rank = longFolders.indexOf(folder);
  return rank === -1 ? longFolders.length : rank;
}
