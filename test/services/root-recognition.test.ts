import { expect, test } from 'vitest';
import { type FormatReader, nothing } from '../../src/formats/reader.ts';
import { surveyFolder } from '../../src/services/folder-survey.ts';
import { RootRecognition } from '../../src/services/root-recognition.ts';
import { MemoryFolder } from '../fakes/memory-folder.ts';

/** A run keeps `state.json` in `step-N`, and what is in it says `run`. */
const steps: FormatReader = {
  name: 'steps',
  looksInto: /^step-\d+$/,
  recognise: ({ names, below }) => {
    const holders = [...names].filter((name) => /^step-\d+$/.test(name) && below(name).has('state.json'));
    if (holders.length === 0) return undefined;
    const believe = (bytes: Buffer) => bytes.toString().startsWith('run');
    const paths = holders.map((name) => `${name}/state.json`);
    return { confidence: 'likely', reason: 'step-N/state.json', proof: { paths, bytesMax: 10, believe } };
  },
  select: () => [],
  assess: () => nothing,
};

const folderReader: FormatReader = {
  ...steps,
  name: 'marker',
  recognise: ({ names }) => (names.has('.hydra') ? { confidence: 'likely', reason: '.hydra' } : undefined),
};

function world(readers: readonly FormatReader[] = [steps]) {
  const folder = new MemoryFolder();
  const opened: string[] = [];
  const open = folder.open.bind(folder);
  folder.open = (path) => {
    opened.push(path);
    return open(path);
  };
  const rules = {
    recognition: new RootRecognition(folder, readers),
    matches: undefined,
    frozen: () => false,
    depthMax: 6,
  };
  const roots = async () => {
    const found: string[] = [];
    const manner = { oneFile: async () => undefined, isLast: () => false };
    for await (const survey of surveyFolder(folder, rules, manner, new AbortController().signal)) {
      found.push(...survey.sessions.map(({ root }) => `${root.path || '.'} by ${root.by}`));
    }
    return found.sort();
  };
  return { folder, opened, roots };
}

test('content decides where names only promise', async () => {
  const { folder, roots } = world();
  folder.write('a/step-1/state.json', 'run 1');
  folder.write('b/step-1/state.json', 'a trading bot');
  folder.write('c/deep/step-1/state.json', 'run 2');
  expect(await roots()).toEqual(['a by reader', 'b by name', 'c/deep by reader']);
});

test('a file is opened once while it is the same, and again when it was not believed and changed', async () => {
  const { folder, opened, roots } = world();
  folder.write('a/step-1/state.json', 'run');
  folder.write('b/step-1/state.json', '');
  await roots();
  await roots();
  expect(opened.sort()).toEqual(['a/step-1/state.json', 'b/step-1/state.json']);
  folder.write('a/step-1/state.json', 'run and more');
  folder.write('b/step-1/state.json', 'run');
  expect(await roots()).toEqual(['a by reader', 'b by reader']);
  expect(opened.filter((path) => path.startsWith('a/'))).toHaveLength(1);
});

test('the watched folder itself may be the run', async () => {
  const { folder, roots } = world();
  folder.write('step-1/state.json', 'run');
  folder.write('logs/out.txt', 'x');
  expect(await roots()).toEqual(['. by reader']);
});

test('a folder of runs is no run', async () => {
  const { folder, roots } = world();
  folder.write('a/step-1/state.json', 'run');
  folder.write('step-1/state.json', 'something else');
  expect(await roots()).toEqual(['a by reader', 'step-1 by name']);
});

test('what cannot be read proves nothing, and what makes a reader fail neither', async () => {
  const failing: FormatReader = {
    ...steps,
    recognise: (directory) => {
      const found = steps.recognise(directory);
      const believe = () => {
        throw new Error('a case nobody thought of');
      };
      return found?.proof && { ...found, proof: { ...found.proof, believe } };
    },
  };
  const { folder, roots } = world([failing, folderReader]);
  folder.write('a/step-1/state.json', 'run');
  folder.write('b/.hydra/config.yaml', 'x');
  expect(await roots()).toEqual(['a by name', 'b by reader']);
});
