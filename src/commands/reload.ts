import { StateError } from '../adapters/journal-trouble.ts';
import { openJournal } from '../adapters/open-journal.ts';
import type { LoadedConfig } from '../config/load.ts';
import { ConfigError, describeProblem } from '../config/problem.ts';
import type { Config, OptionKey } from '../config/schema.ts';
import type { Journal } from '../ports/journal.ts';
import type { Answering } from './answering.ts';
import { assertSameDestination } from './journal-destination.ts';
import { NoAnswer } from './no-answer.ts';

/** What a configuration that was read again is worth: the whole of it, or all that is wrong with it. */
export type Reloaded = { readonly loaded: Answering } | { readonly problems: readonly string[] };

interface InUse {
  /** State directories that need no trying. */
  readonly directories: readonly string[];
  /** Of the present life. */
  readonly journal: Journal | undefined;
}

/**
 * `inUse` is asked once the configuration is there. Any other state directory is opened once, so that nobody moves to
 * where nobody can live; nor does anybody move to a place that does not answer.
 */
export async function reload(load: () => Promise<Answering>, inUse: () => InUse): Promise<Reloaded> {
  try {
    const loaded = await load();
    if (loaded.silent.length > 0) throw new NoAnswer(loaded.silent);
    const { directory } = loaded.config.state;
    const { directories, journal } = inUse();
    if (!directories.includes(directory)) tryStateDirectory(loaded.config);
    else if (journal) assertSameDestination(journal, loaded.config);
    return { loaded };
  } catch (error) {
    if (error instanceof ConfigError) return { problems: error.problems.map(describeProblem) };
    if (error instanceof StateError || error instanceof NoAnswer) return { problems: [error.message] };
    throw error;
  }
}

function tryStateDirectory(config: Config): void {
  try {
    const journal = openJournal(config.state.directory);
    try {
      assertSameDestination(journal, config);
    } finally {
      journal.close();
    }
  } catch (error) {
    // A damaged journal there is no obstacle: it will be set aside.
    if (!(error instanceof StateError) || error.trouble.kind !== 'damaged') throw error;
  }
}

export function changedKeys(before: LoadedConfig, after: LoadedConfig): OptionKey[] {
  const keys = Object.keys(after.values) as OptionKey[];
  return keys.filter((key) => JSON.stringify(before.values[key]) !== JSON.stringify(after.values[key]));
}
