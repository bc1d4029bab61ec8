import { StateError } from '../adapters/journal-trouble.ts';
import { openJournal } from '../adapters/open-journal.ts';
import type { LoadedConfig } from '../config/load.ts';
import { ConfigError, describeProblem } from '../config/problem.ts';
import type { Config, OptionKey } from '../config/schema.ts';
import type { Journal } from '../ports/journal.ts';
import { assertSameDestination } from './journal-destination.ts';

/** What a configuration that was read again is worth: the whole of it, or all that is wrong with it. */
export type Reloaded = { readonly loaded: LoadedConfig } | { readonly problems: readonly string[] };

/**
 * `inUse`: state directories that need no trying, and the journal of the present life. Any other is opened once, so that
 * nobody moves to where nobody can live.
 */
export function reload(
  load: () => LoadedConfig,
  inUse: { readonly directories: readonly string[]; readonly journal: Journal | undefined },
): Reloaded {
  try {
    const loaded = load();
    const { directory } = loaded.config.state;
    if (!inUse.directories.includes(directory)) tryStateDirectory(loaded.config);
    else if (inUse.journal) assertSameDestination(inUse.journal, loaded.config);
    return { loaded };
  } catch (error) {
    if (error instanceof ConfigError) return { problems: error.problems.map(describeProblem) };
    if (error instanceof StateError) return { problems: [error.message] };
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
