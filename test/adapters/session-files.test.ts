import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createFile, moveAside, readDocument, replaceFile } from '../../src/adapters/session-files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const read = (...path: string[]) => readFileSync(join(...path), 'utf8');

test('createFile() makes a file once, and leaves what is there as it is', async () => {
  const directory = await temporaryDirectory();
  const made = await Promise.all(
    Array.from({ length: 8 }, (_, at) => createFile(directory, 'a.json', `${at}`)),
  );
  expect(made.filter(Boolean)).toHaveLength(1);
  expect(read(directory, 'a.json')).toBe(String(made.indexOf(true)));
  expect(readdirSync(directory)).toEqual(['a.json']);
});

test('replaceFile() replaces a link, not what it leads to', async () => {
  const directory = await temporaryDirectory();
  writeFileSync(join(directory, 'other'), 'other');
  symlinkSync('other', join(directory, 'a.pid'));
  await replaceFile(directory, 'a.pid', '1');
  expect([read(directory, 'a.pid'), read(directory, 'other')]).toEqual(['1', 'other']);
  expect(readdirSync(directory).sort()).toEqual(['a.pid', 'other']);
});

test('a write that cannot be done leaves nothing behind', async () => {
  const directory = await temporaryDirectory();
  mkdirSync(join(directory, 'a.json'));
  await expect(replaceFile(directory, 'a.json', 'x')).rejects.toMatchObject({ code: 'EISDIR' });
  expect(readdirSync(directory)).toEqual(['a.json']);
  await expect(createFile(join(directory, 'absent'), 'a.json', 'x')).rejects.toMatchObject({
    code: 'ENOENT',
  });
});

test('moveAside() takes the first number that is free, and never another file’s name', async () => {
  const directory = await temporaryDirectory();
  expect(await moveAside(directory, 'result.json')).toBeUndefined();
  writeFileSync(join(directory, 'result.1.json'), 'one');
  writeFileSync(join(directory, 'result.json'), 'now');
  expect(await moveAside(directory, 'result.json')).toBe('result.2.json');
  expect([read(directory, 'result.1.json'), read(directory, 'result.2.json')]).toEqual(['one', 'now']);
  expect(readdirSync(directory).sort()).toEqual(['result.1.json', 'result.2.json']);
});

test('readDocument() tells what is absent from what is no object, and follows no link', async () => {
  const directory = await temporaryDirectory();
  const texts = {
    'a.json': '{"a": 1}',
    'list.json': '[1]',
    'torn.json': '{"a"',
    'long.json': `{"a": "${'x'.repeat(2 ** 20)}"}`,
  };
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(directory, name), text);
  symlinkSync('a.json', join(directory, 'link.json'));
  const found = await Promise.all(
    ['a.json', 'list.json', 'torn.json', 'long.json', 'link.json', 'none.json'].map((name) =>
      readDocument(directory, name),
    ),
  );
  expect(found).toEqual([{ a: 1 }, undefined, undefined, undefined, undefined, 'absent']);
});
