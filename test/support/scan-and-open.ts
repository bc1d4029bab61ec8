/** A program for another user: scans the folder named first, opens the paths named after it, tells what it was told. */
import { createFolderSource } from '../../src/adapters/folder-source.ts';
import { systemClock } from '../../src/adapters/system-time.ts';
import { FileFailure } from '../../src/domain/failure.ts';

const [directory = '', stateDirectory = '', ...paths] = process.argv.slice(2);
const told: { code: string; remedy: string }[] = [];
const source = createFolderSource({
  directory,
  stateDirectory,
  polling: 'auto',
  clock: systemClock,
  onDegraded: (problem) => told.push(problem),
  onClaimsImpossible: (problem) => told.push(problem),
  onLimit: (problem) => told.push(problem),
});
const listing = await source.scan('', new AbortController().signal);
const failures: unknown[] = [];
const claims: boolean[] = [];
for (const path of paths) {
  claims.push((await source.claim(path, 'claim-1')) !== undefined);
  try {
    await (await source.open(path)).close();
  } catch (error) {
    if (!(error instanceof FileFailure)) throw error;
    failures.push({
      path,
      reason: error.reason,
      code: error.code,
      message: error.message,
      remedy: error.remedy,
    });
  }
}
const entries = listing?.entries.map(({ path }) => path);
process.stdout.write(JSON.stringify({ entries, problems: listing?.problems, failures, claims, told }));
