import { fileSourceContract } from '../contracts/file-source.ts';
import { MemoryFolder } from './memory-folder.ts';

fileSourceContract('memory', async () => {
  const source = new MemoryFolder();
  return {
    source,
    write: (path, text) => source.write(path, text),
    append: (path, text) => source.append(path, text),
    replace: (path, text) => source.replace(path, text),
    mkdir: (path) => source.mkdir(path),
    remove: (path) => source.remove(path),
    rename: (from, to) => source.rename(from, to),
    link: (path) => source.link(path),
    fifo: (path) => source.other(path),
  };
});
