import { expect, test } from 'vitest';
import { FileFailure } from '../../src/domain/failure.ts';
import { readOneFileSession } from '../../src/formats/native.ts';
import { formatReaders } from '../../src/formats/registry.ts';
import type { Entry, FileSource } from '../../src/ports/file-source.ts';
import { SessionReadings } from '../../src/services/session-reading.ts';
import { MemoryFolder } from '../fakes/memory-folder.ts';

async function folderWith(path: string, text: string) {
  const folder = new MemoryFolder();
  folder.write(path, text);
  const listing = await folder.scan('', new AbortController().signal);
  const files = listing?.entries.filter(({ kind }) => kind === 'file') ?? [];
  return { folder, files };
}

function readingsOf(source: FileSource): {
  readings: SessionReadings;
  opened: () => number;
  fail: (code?: string) => void;
} {
  let count = 0;
  let refusal: string | undefined;
  const open: FileSource['open'] = async (path) => {
    count += 1;
    if (refusal !== undefined) throw new FileFailure('changing', refusal, `opening file "${path}"`, 'wait');
    return source.open(path);
  };
  const counted = new Proxy(source, {
    get: (target, name) => {
      if (name === 'open') return open;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const readings = new SessionReadings({
    source: counted,
    readers: formatReaders,
    oneFile: readOneFileSession,
  });
  return {
    readings,
    opened: () => count,
    fail: (code) => {
      refusal = code;
    },
  };
}

const session = (files: readonly Entry[]) => ({ root: 'run', kind: 'directory', files }) as const;

test('a session that was not read since the last call is forgotten, one that was is not', async () => {
  const { folder, files } = await folderWith('run/session.json', '{"id":"a"}');
  const { readings, opened } = readingsOf(folder);
  await readings.read(session(files));
  readings.forgetUnused();
  await readings.read(session(files));
  expect(opened()).toBe(1);
  readings.forgetUnused();
  readings.forgetUnused();
  await readings.read(session(files));
  expect(opened()).toBe(2);
});

test('a file that could not be opened just now is read again, and until then the reading says so', async () => {
  const { folder, files } = await folderWith('run/session.json', '{"id":"a"}');
  const { readings, fail } = readingsOf(folder);
  fail('EMFILE');
  expect(await readings.read(session(files))).toMatchObject({ again: true, nativeId: undefined });
  fail();
  expect(await readings.read(session(files))).toMatchObject({ again: false, nativeId: 'a' });
});

test('a document that cannot be opened just now is not taken for none', async () => {
  const { folder, files } = await folderWith('one.json', '{"id":"a"}');
  const { readings, fail } = readingsOf(folder);
  const [entry] = files;
  if (!entry) throw new Error('the folder has no file');
  fail('EMFILE');
  await expect(readings.oneFileIdentity(entry)).rejects.toMatchObject({ code: 'EMFILE' });
  fail();
  expect(await readings.oneFileIdentity(entry)).toBeDefined();
});
