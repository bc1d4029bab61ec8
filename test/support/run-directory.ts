import type { DirectoryView } from '../../src/formats/reader.ts';

/** A directory with these files in and below it, as a reader looks at it. */
export function directoryOf(files: readonly { readonly path: string }[], name = 'run'): DirectoryView {
  const below = (directory: string): ReadonlySet<string> => {
    const prefix = directory === '' ? '' : `${directory}/`;
    const inside = files
      .filter(({ path }) => path.startsWith(prefix))
      .map(({ path }) => path.slice(prefix.length));
    return new Set(inside.map((path) => path.split('/')[0] ?? ''));
  };
  return { name, names: below(''), below };
}
