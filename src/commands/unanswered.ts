import { StateError } from '../adapters/journal-trouble.ts';

export const unansweredRemedy =
  'see in its log what it does (journalctl -u trainlogd), or restart it: nothing is lost by that';

/** What a command does with the journal because no agent answered: one that holds it all the same is not to give way. */
export function unlessHeld<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof StateError) || error.trouble.kind !== 'held') throw error;
    const { trouble } = error;
    const cause = `${trouble.cause}, and does not answer`;
    throw new StateError({ ...trouble, cause, remedy: unansweredRemedy }, error);
  }
}
