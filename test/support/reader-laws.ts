import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sessionLogSchema } from '../../src/domain/session-log.ts';
import type { Assessment, FormatReader } from '../../src/formats/reader.ts';
import { type RunFile, readRun } from './read-run.ts';

/**
 * What holds for every reader. `runs` are well-formed directories of its framework. More inputs by hand:
 * TRAINLOGD_TEST_FUZZ=100000 npx vitest run test/formats/NAME.test.ts
 */
export function obeysReaderLaws(
  reader: FormatReader,
  runs: Readonly<Record<string, readonly RunFile[]>>,
): void {
  const names = Object.keys(runs);
  const inputs = Number(process.env['TRAINLOGD_TEST_FUZZ'] ?? 1500);
  const limitMs = 60_000 + inputs * 20;

  test.each(names)('%s: says the same however its files are cut into chunks', (name) => {
    const files = runs[name] ?? [];
    const whole = readRun(reader, files);
    for (const chunkBytes of [1, 7, 4096]) expect(readRun(reader, files, { chunkBytes })).toEqual(whole);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), (chunkBytes) => {
        expect(readRun(reader, files, { chunkBytes })).toEqual(whole);
      }),
      { seed: 7, numRuns: 20 },
    );
  });

  test.each(names)('%s: every fact has a file that it comes from', (name) => {
    const files = runs[name] ?? [];
    const { facts, provenance } = readRun(reader, files);
    const paths = new Set(files.map(({ path }) => path));
    for (const source of Object.values(provenance)) expect(paths).toContain(source);
    for (const path of factPaths(facts)) expect(provenance, path).toHaveProperty([path]);
  });

  test(
    'damaged files are survived, and what is said of them is a legal part of a session log',
    () => {
      let slowestMs = 0;
      fc.assert(
        fc.property(fc.constantFrom(...names), damages, (name, some) => {
          const files = damaged(runs[name] ?? [], some);
          const startedAt = performance.now();
          const assessment = readRun(reader, files, { chunkBytes: 1 + ((some[0]?.at ?? 0) % 5000) });
          slowestMs = Math.max(slowestMs, performance.now() - startedAt);
          expectLegal(assessment);
        }),
        { seed: 11, numRuns: inputs },
      );
      if (inputs >= 100_000)
        process.stderr.write(`${reader.name}: ${inputs} inputs, slowest ${slowestMs} ms\n`);
    },
    limitMs,
  );
}

const nasty = [
  '__proto__',
  '"__proto__": {"x": 1},',
  'NaN',
  '-Infinity',
  '1e999',
  '9223372036854775807',
  '\0',
  '\n',
  '\r',
  '\r\n',
  '"',
  ',',
  '{',
  '[',
  '[[[[[[[[',
  '}',
  ']',
  ':',
  '\u001b[31m',
  '\ufeff',
  '&a ',
  '*a',
  '!!python/object:a.B ',
  '- ',
  '<<: *a\n',
  ' ',
  '"""',
  'constructor',
  '\u2028',
  '\ud83d',
  '%',
  'step',
  'null',
  '-1',
  '0x10',
];

interface Damage {
  readonly file: number;
  readonly at: number;
  readonly length: number;
  readonly put: Uint8Array | string;
}

const damages = fc.array(
  fc.record({
    file: fc.nat(100),
    at: fc.nat(200_000),
    length: fc.oneof(fc.nat(4), fc.nat(64), fc.nat(20_000)),
    put: fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.constantFrom(...nasty)),
  }),
  { minLength: 1, maxLength: 5 },
);

function damaged(files: readonly RunFile[], some: readonly Damage[]): RunFile[] {
  const changed = [...files];
  for (const { file, at, length, put } of some) {
    const index = file % changed.length;
    const before = changed[index];
    if (!before) continue;
    const from = before.bytes.length === 0 ? 0 : at % before.bytes.length;
    const bytes = Buffer.concat([
      before.bytes.subarray(0, from),
      Buffer.from(put),
      before.bytes.subarray(from + length),
    ]);
    changed[index] = { ...before, bytes };
  }
  return changed;
}

export function expectLegal({ facts, provenance, warnings, ending }: Assessment): void {
  const { config, results, history } = sessionLogSchema.shape;
  config.parse(facts.config);
  results.parse(facts.results);
  history.parse(facts.history);
  if (facts.startedAt !== undefined) sessionLogSchema.shape.session.shape.startedAt.parse(facts.startedAt);
  expect(facts.history?.rows.every((row) => row.length === facts.history?.columns.length) ?? true).toBe(true);
  expect(JSON.stringify(facts)).not.toMatch(/"__proto__":/);
  expect(JSON.stringify(facts).length).toBeLessThan(8 * 1024 * 1024);
  expect(warnings.length).toBeLessThan(50);
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  if (ending) expect(typeof ending.by).toBe('string');
  expect(Object.values(provenance).every((source) => source !== '')).toBe(true);
}

/** `session.startedAt`, `config.epochs`, `history`: as the session log's provenance names them. */
function factPaths(facts: object): string[] {
  return Object.entries(facts).flatMap(([name, value]) => {
    if (name === 'history') return [name];
    if (typeof value !== 'object' || value === null) return [`session.${name}`];
    return Object.keys(value).map((field) => `${name}.${field}`);
  });
}
