import type { FolderState } from '../ports/file-source.ts';
import type { Journal } from '../ports/journal.ts';

/**
 * Do other hosts watch the folder? With `auto`, those of a network file system. A folder that is away is what it was
 * when it was last seen. Undefined while nobody has ever looked.
 */
export function folderSharing(options: {
  readonly shared: 'auto' | boolean;
  readonly folder: string;
  readonly journal: Pick<Journal, 'getMeta' | 'setMeta'>;
  readonly folderState: () => FolderState | undefined;
}): () => boolean | undefined {
  const { shared, folder, journal, folderState } = options;
  if (shared !== 'auto') return () => shared;
  const name = `network:${folder}`;
  const recorded = journal.getMeta(name);
  let known = recorded === undefined ? undefined : recorded === 'true';
  return () => {
    const state = folderState();
    if (state?.state !== 'present') return state ? known === true : known;
    if (state.network !== known) journal.setMeta(name, String(state.network));
    known = state.network;
    return known;
  };
}
