import type { FileSource } from '../../src/ports/file-source.ts';
import type { Journal } from '../../src/ports/journal.ts';

/** What looks at the folder cost: which directories were scanned, and how often a session's files were read back. */
export class WatchedFolderScans {
  readonly scanned: string[] = [];
  filesAskedFor = 0;

  readonly source = (source: FileSource): FileSource => {
    const { scanned } = this;
    return new Proxy(source, {
      get(target, name) {
        if (name !== 'scan') return bound(target, name);
        return (...args: Parameters<FileSource['scan']>) => {
          scanned.push(args[0]);
          return target.scan(...args);
        };
      },
    });
  };

  readonly journal = (journal: Journal): Journal => ({
    ...journal,
    files: (sid) => {
      this.filesAskedFor += 1;
      return journal.files(sid);
    },
  });
}

function bound(target: FileSource, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name, target);
  return typeof value === 'function' ? value.bind(target) : value;
}
