import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ModuleFacts, readModule } from './support/module-facts.ts';

/** Modules by their path below src. */
type Modules = ReadonlyMap<string, { readonly facts: ModuleFacts; readonly lines: number }>;
type Rule = (modules: Modules) => string[];

const linesMax = 250;

/** Higher may import lower, and what lies in the same folder. Folders of one level do not know each other. */
const levels: readonly (readonly string[])[] = [
  ['main'],
  ['commands'],
  ['compose'],
  ['doctor', 'reading'],
  ['services', 'adapters', 'exec', 'http', 'bucket', 'config'],
  ['ports'],
  ['formats'],
  ['probes'],
  ['domain'],
];
/** All others are given what concerns them of the configuration; the doctor is there to judge it. */
const configReaders = ['main', 'commands', 'compose', 'config', 'doctor'];
/** The daemon is put together in more than one file; all of them are the composition root. */
const rootFiles: Readonly<Record<string, string>> = { 'main.ts': 'main' };

/** Packages and built-in modules of the layers that touch nothing outside the program. */
const purePackages: Readonly<Record<string, readonly string[]>> = {
  domain: ['node:crypto', 'picomatch', 'zod'],
  formats: ['node:string_decoder', 'node:zlib', 'yaml'],
  probes: [],
  ports: [],
  services: ['node:crypto', 'node:zlib', 'p-queue'],
  bucket: [],
};

const clock =
  /^(Date\.now|new Date\(\)|Date\(\)|performance|setTimeout|setInterval|setImmediate|queueMicrotask|AbortSignal\.timeout)$/;
const clockModules = /^(node:)?(timers(\/promises)?|perf_hooks)$/;
const randomness = /^(Math\.random|crypto)$/;
const randomExports = /^(\*|random\w+|webcrypto|generateKey\w*|getRandomValues)$/;

/** Who may ask the machine for time and chance, and for what; all others are given a clock. */
const machineReaders: Readonly<Record<string, readonly string[]>> = {
  'adapters/system-time.ts': ['Date.now', 'performance', 'setTimeout', 'setImmediate', 'Math.random'],
  // How long a single request may take before it is known to be lost.
  'adapters/s3-store.ts': ['AbortSignal.timeout'],
  // Names that nobody else may draw: the writer's, and those of temporary files and locks.
  'adapters/sqlite-journal.ts': ['randomBytes'],
  'adapters/directory-layout.ts': ['randomUUID'],
  'adapters/directory-lock.ts': ['randomUUID'],
  'adapters/lease-files.ts': ['randomUUID'],
  'adapters/session-files.ts': ['randomUUID'],
  'commands/exec.ts': ['randomBytes'],
};

const rules = {
  'imports follow the arrow': (modules) =>
    edges(modules).flatMap(({ from, to }) =>
      mayImport(layerOf(from), layerOf(to)) ? [] : [`${from} -> ${to}`],
    ),

  'imports lead to files that are there': (modules) =>
    edges(modules).flatMap(({ from, to }) => (modules.has(to) ? [] : [`${from} -> ${to}`])),

  'no module imports itself by a detour': cycles,

  'only main and commands import on demand': (modules) =>
    each(modules, (path, { imports }) => {
      const isAllowed = ['main', 'commands'].includes(layerOf(path));
      return imports.filter(({ isDynamic }) => isDynamic && !isAllowed).map(({ specifier }) => specifier);
    }),

  'pure layers use no packages but those that are named here': (modules) =>
    each(modules, (path, { imports }) => {
      const allowed = purePackages[layerOf(path)];
      return imports
        .map(({ specifier }) => specifier)
        .filter((specifier) => !specifier.startsWith('.') && allowed?.includes(specifier) === false);
    }),

  'only main.ts touches the process': (modules) =>
    each(modules, (path, { globals, imports }) => {
      if (path === 'main.ts') return [];
      const named = imports
        .map(({ specifier }) => specifier)
        .filter((name) => /^(node:)?process$/.test(name));
      return [...named, ...[...globals].filter((name) => name === 'process' || name === 'globalThis')];
    }),

  'time and chance are asked of the machine by the listed files alone': (modules) =>
    each(modules, (path, facts) =>
      machineReads(facts).filter((read) => !machineReaders[path]?.includes(read)),
    ),

  'nobody writes to the console': (modules) =>
    each(modules, (_, { globals, imports }) => {
      const named = imports
        .map(({ specifier }) => specifier)
        .filter((name) => /^(node:)?console$/.test(name));
      return [...named, ...[...globals].filter((name) => name === 'console')];
    }),

  'no file is longer than a reader can hold': (modules) =>
    [...modules].flatMap(([path, { lines }]) => (lines > linesMax ? [`${path}: ${lines} lines`] : [])),
} satisfies Record<string, Rule>;

const source = readModules(join(import.meta.dirname, '..', 'src'));

describe('in src', () => {
  test('there is something to look at', () => {
    expect(source.size).toBeGreaterThan(50);
    expect(edges(source).length).toBeGreaterThan(100);
  });

  test.each(Object.entries(rules))('%s', (_, rule) => {
    expect(rule(source)).toEqual([]);
  });

  test('every exception is in use', () => {
    for (const [path, allowed] of Object.entries(machineReaders)) {
      const module = source.get(path);
      expect(module && machineReads(module.facts), path).toEqual(expect.arrayContaining([...allowed]));
    }
  });
});

describe('each rule sees what breaks it', () => {
  const endless = '\n'.repeat(linesMax + 1);
  test.each<[keyof typeof rules, string, Record<string, string>, string]>([
    [
      'imports follow the arrow',
      'service -> adapter',
      { 'services/a.ts': `import '../adapters/b.ts';` },
      'services/a.ts -> adapters/b.ts',
    ],
    [
      'imports follow the arrow',
      'a type, too',
      { 'domain/a.ts': `import type { B } from '../ports/b.ts';` },
      'domain/a.ts -> ports/b.ts',
    ],
    [
      'imports follow the arrow',
      'a type in place',
      { 'domain/a.ts': `type A = import('../ports/b.ts').B;` },
      'domain/a.ts -> ports/b.ts',
    ],
    [
      'imports follow the arrow',
      'handed on',
      { 'ports/a.ts': `export * from '../services/b.ts';` },
      'ports/a.ts -> services/b.ts',
    ],
    [
      'imports follow the arrow',
      'handed on by name',
      { 'ports/a.ts': `export { b } from '../services/b.ts';` },
      'ports/a.ts -> services/b.ts',
    ],
    [
      'imports follow the arrow',
      'adapter -> config',
      { 'adapters/a.ts': `import { b } from '../config/b.ts';` },
      'adapters/a.ts -> config/b.ts',
    ],
    [
      'imports follow the arrow',
      'service -> doctor',
      { 'services/a.ts': `import { b } from '../doctor/b.ts';` },
      'services/a.ts -> doctor/b.ts',
    ],
    [
      'imports follow the arrow',
      'doctor -> compose',
      { 'doctor/a.ts': `import { b } from '../compose.ts';` },
      'doctor/a.ts -> compose.ts',
    ],
    [
      'imports follow the arrow',
      'back to main',
      { 'commands/a.ts': `import { b } from '../main.ts';` },
      'commands/a.ts -> main.ts',
    ],
    [
      'imports lead to files that are there',
      'a file that is not',
      { 'domain/a.ts': `import './b.ts';` },
      'domain/a.ts -> domain/b.ts',
    ],
    [
      'no module imports itself by a detour',
      'two',
      { 'a.ts': `import './b.ts';`, 'b.ts': `import type { A } from './a.ts';` },
      'a.ts -> b.ts -> a.ts',
    ],
    [
      'only main and commands import on demand',
      'a service',
      { 'services/a.ts': `await import('node:fs');` },
      'services/a.ts: node:fs',
    ],
    [
      'pure layers use no packages but those that are named here',
      'disk',
      { 'services/a.ts': `import 'node:fs';` },
      'services/a.ts: node:fs',
    ],
    [
      'only main.ts touches the process',
      'a global',
      { 'a.ts': 'export const a = { env: process.env };' },
      'a.ts: process',
    ],
    [
      'only main.ts touches the process',
      'a module',
      { 'a.ts': `import { env } from 'node:process';` },
      'a.ts: node:process',
    ],
    [
      'only main.ts touches the process',
      'beside a name that hides it',
      { 'a.ts': 'const f = (process) => process; f(process);' },
      'a.ts: process',
    ],
    [
      'only main.ts touches the process',
      'through globalThis',
      { 'a.ts': 'globalThis.process.exit();' },
      'a.ts: globalThis',
    ],
    [
      'time and chance are asked of the machine by the listed files alone',
      'Date.now',
      { 'services/a.ts': 'Date.now();' },
      'services/a.ts: Date.now',
    ],
    [
      'time and chance are asked of the machine by the listed files alone',
      'new Date()',
      { 'a.ts': 'class A { at = new Date(); }' },
      'a.ts: new Date()',
    ],
    [
      'time and chance are asked of the machine by the listed files alone',
      'a timer',
      { 'a.ts': ['`$', '{setTimeout(f, 1)}`;'].join('') },
      'a.ts: setTimeout',
    ],
    [
      'time and chance are asked of the machine by the listed files alone',
      'a module',
      { 'a.ts': `import { setTimeout } from 'node:timers/promises';` },
      'a.ts: node:timers/promises',
    ],
    [
      'time and chance are asked of the machine by the listed files alone',
      'chance',
      { 'a.ts': `import { randomUUID as id } from 'node:crypto';` },
      'a.ts: randomUUID',
    ],
    [
      'time and chance are asked of the machine by the listed files alone',
      'not in a listed file either',
      { 'adapters/system-time.ts': 'setInterval(f, 1);' },
      'adapters/system-time.ts: setInterval',
    ],
    ['nobody writes to the console', 'a line', { 'main.ts': 'console.log(1);' }, 'main.ts: console'],
    [
      'no file is longer than a reader can hold',
      'one line more',
      { 'a.ts': endless },
      `a.ts: ${linesMax + 1} lines`,
    ],
  ])('%s: %s', (rule, _, files, complaint) => {
    expect(rules[rule](modulesOf(files))).toEqual([complaint]);
  });

  test.each([
    ['a date of a given time', 'new Date(0).getTime();'],
    ['a parameter', 'function f(process: number) { return process; }'],
    ['a property', 'interface A { process: number } const f = (a: A) => a.process;'],
    ['a key', 'export const a = { process: 1, console: 2 };'],
    ['a local name', 'const { setTimeout, b: performance } = a; setTimeout(performance);'],
    ['a comment and a string', `// process.env\nexport const a = 'Date.now()';`],
    ['a type', 'type A = typeof process.env;'],
  ])('no rule minds %s', (_, text) => {
    const modules = modulesOf({ 'services/a.ts': text });
    for (const rule of Object.values(rules)) expect(rule(modules)).toEqual([]);
  });
});

function machineReads({ globals, imports }: ModuleFacts): string[] {
  const modules = imports.map(({ specifier }) => specifier).filter((name) => clockModules.test(name));
  const random = imports
    .filter(({ specifier }) => /^(node:)?crypto$/.test(specifier))
    .flatMap(({ names }) => names.filter((name) => randomExports.test(name)));
  return [...modules, ...random, ...[...globals].filter((name) => clock.test(name) || randomness.test(name))];
}

function layerOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : (rootFiles[path] ?? 'compose');
}

function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  if (to === 'config') return configReaders.includes(from);
  const level = (layer: string) => levels.findIndex((folders) => folders.includes(layer));
  return level(from) >= 0 && level(from) < level(to);
}

function edges(modules: Modules): { from: string; to: string }[] {
  return [...modules].flatMap(([from, { facts }]) =>
    facts.imports
      .filter(({ specifier }) => /^\.\.?\/.*\.ts$/.test(specifier))
      .map(({ specifier }) => ({ from, to: normalize(join(dirname(from), specifier)) })),
  );
}

function cycles(modules: Modules): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of edges(modules)) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const found: string[] = [];
  const follow = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) found.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
    if (done.has(path)) return;
    done.add(path);
    for (const to of next.get(path) ?? []) follow(to, [...trail, path]);
  };
  for (const path of modules.keys()) follow(path, []);
  return found;
}

function each(modules: Modules, complaints: (path: string, facts: ModuleFacts) => string[]): string[] {
  return [...modules].flatMap(([path, { facts }]) => complaints(path, facts).map((one) => `${path}: ${one}`));
}

function modulesOf(files: Readonly<Record<string, string>>): Modules {
  const lines = (text: string) => text.replace(/\n$/, '').split('\n').length;
  return new Map(
    Object.entries(files).map(([path, text]) => [path, { facts: readModule(text), lines: lines(text) }]),
  );
}

function readModules(directory: string): Modules {
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );
  return modulesOf(
    Object.fromEntries(paths.sort().map((path) => [path, readFileSync(join(directory, path), 'utf8')])),
  );
}
