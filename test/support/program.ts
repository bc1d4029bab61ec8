import { join } from 'node:path';

const built = process.env['TRAINLOGD_TEST_PROGRAM'];

/**
 * What runs trainlogd, before its arguments: the sources of this checkout, or the program that TRAINLOGD_TEST_PROGRAM
 * names, a single file or a package's, which then has to pass the same tests.
 */
export const trainlogdProgram: readonly [string, ...string[]] =
  built === undefined ? [process.execPath, join(import.meta.dirname, '..', '..', 'src', 'main.ts')] : [built];

/** The same as words of a shell. */
export const trainlogdWords = trainlogdProgram.map((word) => `'${word}'`).join(' ');

/** Where a program that is given an environment of its own finds what Node compiled for those before it (run.ts). */
export const compiledCode: Readonly<Record<string, string>> = variable('NODE_COMPILE_CACHE');

function variable(name: string): Record<string, string> {
  const value = process.env[name];
  return value === undefined ? {} : { [name]: value };
}
