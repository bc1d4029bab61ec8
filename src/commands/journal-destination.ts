import { fileURLToPath, pathToFileURL } from 'node:url';
import { StateError } from '../adapters/journal-trouble.ts';
import { realFolder } from '../compose-parts.ts';
import type { Config } from '../config/schema.ts';
import type { Journal } from '../ports/journal.ts';

type Known = Pick<Journal, 'getMeta' | 'setMeta' | 'hasDelivered'>;

const metaName = 'destination';

/**
 * A journal belongs to one bucket, or one directory: its receipts tell what is there. In front of another one they would
 * lie, and so would the logs that list by them. Not the endpoint: one bucket has many names on the network.
 */
export function assertSameDestination(journal: Known, { destination, state }: Config): void {
  const known = journal.getMeta(metaName);
  const wanted = nameOf(destination);
  if (known === undefined || isSame(known, wanted) || !journal.hasDelivered()) return;
  throw new StateError({
    kind: 'refused',
    code: 'OTHERDESTINATION',
    cause: `using the journal in ${JSON.stringify(state.directory)} for ${wanted}: it tells what is in ${known}`,
    remedy: `name another state.directory for ${wanted}, and what is in the folder is shipped there anew; or set destination.url back to ${known}`,
  });
}

/** Throws StateError where the journal is another destination's. */
export function keepDestination(journal: Known, config: Config): void {
  assertSameDestination(journal, config);
  const wanted = nameOf(config.destination);
  if (journal.getMeta(metaName) !== wanted) journal.setMeta(metaName, wanted);
}

/** A directory may be named by way of a link, too. */
function isSame(known: string, wanted: string): boolean {
  if (known === wanted) return true;
  if (![known, wanted].every((name) => name.startsWith('file:'))) return false;
  const [first, second] = [known, wanted].map((name) => realFolder(fileURLToPath(name)));
  return first === second;
}

function nameOf(destination: Config['destination']): string {
  return destination.kind === 's3' ? `s3://${destination.bucket}` : pathToFileURL(destination.path).href;
}
