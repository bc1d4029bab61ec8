import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { type Described, describeAll } from '../../config/package/described.ts';
import { type OptionKey, optionKeys, variableOf } from '../../src/config/schema.ts';
import { codesOf } from '../../src/doctor/codes.ts';
import { metricNames } from '../../src/http/metrics-catalogue.ts';
import { reportCodes } from '../../src/services/report-codes.ts';
import { anchorsOf, type Document, documents, project } from './documents.ts';

const all = documents();
const commands = describeAll();

test('every link in a document leads to something that is there', () => {
  const broken = wrongIn(all, ({ path, prose }) => {
    const targets = namedIn(prose, /\]\(([^)\s]+)\)/g).filter((target) => !/^[a-z]+:/.test(target));
    return targets.filter((target) => !leadsSomewhere(path, target));
  });
  expect(broken).toEqual([]);
});

test('every trainlogd command that a document names exists, with its flags', () => {
  expect(wrongIn(all, ({ code }) => code.flatMap(callsIn).flatMap(unknownIn))).toEqual([]);
});

test('every metric and every variable of ours that a document names exists', () => {
  const unknown = wrongIn(all, ({ text }) => [
    ...namedIn(text, /(?<![\w{])(trainlogd_[a-z][a-z_]*)/g).filter((name) => !isMetric(name)),
    ...namedIn(text, /(?<!\w)(TRAINLOGD_[A-Z0-9_]+)(?!\w)/g).filter((name) => !isVariable(name)),
  ]);
  expect(unknown).toEqual([]);
});

test('every npm script that a document names exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const named = wrongIn(all, ({ code }) =>
    namedIn(code.join('\n'), /npm run (?:-s )?([a-z]+(?::[a-z]+)*)/g).filter((name) => !(name in scripts)),
  );
  expect(named).toEqual([]);
});

test('every option that a document names exists', () => {
  // The reference has a test of its own; changelog and decisions speak of other times, formats of other programs.
  const ofToday = all.filter(
    ({ path }) => !/^(?:CHANGELOG|docs\/adr|docs\/reference|docs\/formats)/.test(path),
  );
  const groups = [...new Set(optionKeys.map((key) => key.split('.')[0]))].join('|');
  const pattern = new RegExp(`^((?:${groups})\\.[a-z][a-zA-Z]*)(?=$|:| )`, 'g');
  const unknown = wrongIn(ofToday, ({ code }) =>
    code.flatMap((span) => namedIn(span, pattern)).filter((name) => !known.has(name)),
  );
  expect(unknown).toEqual([]);
});

test('packages have checksums, unless they are for other systems and for development, and none has an install script', () => {
  const { packages } = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const { '': _, ...locked } = packages;
  const [entries, names] = [Object.entries(locked), (list: [string, Locked][]) => list.map(([name]) => name)];
  expect(entries.length).toBeGreaterThan(100);
  expect(names(entries.filter(([, { hasInstallScript }]) => hasInstallScript))).toEqual([]);
  const unchecked = entries.filter(([, { integrity }]) => integrity === undefined);
  const isElsewhere = ({ dev, os, libc }: Locked) =>
    dev === true && (libc?.includes('glibc') === false || os?.includes('linux') === false);
  expect(names(unchecked.filter(([, locked]) => !isElsewhere(locked)))).toEqual([]);
});

interface Locked {
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly os?: readonly string[];
  readonly libc?: readonly string[];
}

/** What looks like an option and is none: findings, and files of ours. */
const known = new Set<string>([
  ...optionKeys,
  ...reportCodes,
  ...Object.values(codesOf).flat(),
  ...['report.json', 'upload.retry'],
]);

/** What is wrong, behind the document that it is in. */
function wrongIn(among: readonly Document[], look: (document: Document) => readonly string[]): string[] {
  return among.flatMap((document) => look(document).map((wrong) => `${document.path}: ${wrong}`));
}

function leadsSomewhere(from: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = join(project, path === '' ? from : normalize(join(dirname(from), path)));
  if (!existsSync(file)) return false;
  return anchor === undefined || (file.endsWith('.md') && anchorsOf(readFileSync(file, 'utf8')).has(anchor));
}

interface Call {
  readonly words: readonly string[];
  readonly flags: readonly string[];
}

/** `sudo trainlogd get ID --json | jq`: the command, perhaps with the one below it, and flags up to where a shell ends it. */
function callsIn(code: string): Call[] {
  const calls = code.matchAll(
    /(?:\btrainlogd|npm run (?:-s )?trainlogd --) +(?!trainlogd\b)([a-z][a-z-]*(?: [a-z]+)?)([^|;&#]*)/g,
  );
  return [...calls].map(([, words = '', rest = '']) => {
    const ours = rest.split(/ -- | trainlogd /)[0] ?? '';
    return { words: words.split(' '), flags: [...ours.matchAll(/(--[a-z][a-z-]+)/g)].map(([flag]) => flag) };
  });
}

function unknownIn({ words, flags }: Call): string[] {
  const [first = '', second = ''] = words;
  const command = of(`${first} ${second}`) ?? of(first);
  if (command === undefined) {
    // `bucket` alone is its group, and stands for what is below it.
    const isGroup = commands.some(({ name }) => name.startsWith(`${first} `));
    return isGroup && flags.length === 0 ? [] : [words.join(' ')];
  }
  const options = [of(''), command].flatMap((one) => one?.options.flatMap(({ names }) => names) ?? []);
  return flags.filter((flag) => !options.includes(flag)).map((flag) => `${command.name} ${flag}`);
}

function of(name: string): Described | undefined {
  return commands.find((command) => command.name === name);
}

function namedIn(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, name = '']) => name);
}

function isMetric(name: string): boolean {
  return metricNames.some((metric) => metric === name);
}

function isVariable(name: string): boolean {
  const others = ['TRAINLOGD_CONFIG', 'TRAINLOGD_SESSION_DIR'];
  return (
    optionKeys.some((key: OptionKey) => variableOf(key) === name) ||
    others.includes(name) ||
    name.startsWith('TRAINLOGD_TEST_')
  );
}
