import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { main } from '../../src/commands/cli.ts';
import type { Edge } from '../../src/commands/edge.ts';
import { type OptionKey, optionKeys, optionOf, variableOf } from '../../src/config/schema.ts';
import { sessionLogJsonSchema } from '../../src/domain/session-log.ts';
import { reportCodes } from '../../src/services/report-codes.ts';

const text = readFileSync(new URL('../../docs/reference.md', import.meta.url), 'utf8');

/** The lines between one heading of the second level and the next. */
function section(title: string): string {
  const [, found] = text.split(`\n## ${title}\n`);
  if (found === undefined) throw new Error(`docs/reference.md has no section "${title}"`);
  return found.split('\n## ')[0] ?? '';
}

/** The cells of every table row that begins with code. */
function rows(title: string): string[][] {
  const lines = section(title)
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  return lines.map((line) =>
    line
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.trim()),
  );
}

describe('the configuration in docs/reference.md', () => {
  test('is every option, with variable, default and meaning, and no other', () => {
    expect(rows('Configuration')).toEqual(optionKeys.map(optionRow));
  });

  test('names no key elsewhere that does not exist', () => {
    const sections = [...new Set(optionKeys.map((key) => key.split('.')[0]))].join('|');
    // The session log has sections of the same names; its own table is held against its schema.
    const named = text
      .replace(section('The session log'), '')
      .matchAll(new RegExp(`\`((?:${sections})\\.[a-zA-Z]+)\``, 'g'));
    const unknown = [...named]
      .map(([, key]) => key)
      .filter((key) => !optionKeys.some((known) => known === key));
    const others = ['session.json', 'session.pid', 'report.json', ...reportCodes];
    expect(unknown.filter((key) => !others.some((other) => other === key))).toEqual([]);
  });
});

test('the findings of a report in docs/reference.md are all that it can judge, and no other', () => {
  const codes = rows('Reports').flatMap((row) => (row.length === 3 ? [row[0]?.replaceAll('`', '')] : []));
  expect(codes.toSorted()).toEqual(reportCodes.toSorted());
});

describe('the session log in docs/reference.md', () => {
  test('is every field of the schema and no other', () => {
    const documented = rows('The session log').map(([path = '']) => path.replaceAll('`', ''));
    expect(documented).toEqual(fieldsOf(sessionLogJsonSchema() as Schema, ''));
  });
});

describe('the commands in docs/reference.md', () => {
  test('are all commands and no other', async () => {
    const commands = await allCommands();
    const documented = rows('Commands').map(
      ([usage = '']) => new RegExp(`\`trainlogd ((?:(?:${groups.join('|')}) )?[a-z]+)`).exec(usage)?.[1],
    );
    expect(documented.toSorted()).toEqual(commands.toSorted());
  });

  test('have all flags and no other', async () => {
    const names = [[], ...(await allCommands()).map((name) => name.split(' '))];
    const helps = await Promise.all(names.map(helpOf));
    const flags = helps.flatMap((help) => flagsIn(help.split(/Exit codes:|Examples:/)[0] ?? ''));
    expect([...new Set(flagsIn(section('Commands')))].toSorted()).toEqual([...new Set(flags)].toSorted());
  });

  test('have the exit codes that --help names', async () => {
    const line = /^Exit codes: (.*)$/m.exec(await helpOf([]))?.[1] ?? '';
    const codes = [...line.matchAll(/\b(\d+) /g)].map(([, code]) => code);
    expect(rows('Exit codes').map(([code = '']) => code.replaceAll('`', ''))).toEqual(codes);
  });
});

/** Commands that only have others below them. */
const groups = ['bucket', 'iam', 'config'];

async function allCommands(): Promise<string[]> {
  const top = commandsIn(await helpOf([])).filter((name) => !groups.includes(name));
  const below = groups.map(async (group) =>
    commandsIn(await helpOf([group])).map((name) => `${group} ${name}`),
  );
  return [...top, ...(await Promise.all(below)).flat()];
}

function optionRow(key: OptionKey): string[] {
  const { type, doc } = optionOf(key);
  return [`\`${key}\``, `\`${variableOf(key)}\``, defaultCell(key), `${doc}. Accepted: ${type.accepts}`].map(
    (cell) => cell.replaceAll('|', '\\|'),
  );
}

function defaultCell(key: OptionKey): string {
  const { default: standard, computed } = optionOf(key);
  if (standard === undefined) return computed ?? 'none';
  if (key === 'companions.exclude') return 'the globs in `config/trainlogd.yaml`';
  const shown = typeof standard === 'object' ? Object.values(standard).join(', ') : String(standard);
  return shown === '' ? 'none' : `\`${shown}\``;
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** `session.id`, `companions[].path`: what holds no other field. */
function fieldsOf(schema: Schema, path: string): string[] {
  if (schema.properties) {
    return Object.entries(schema.properties).flatMap(([name, below]) =>
      fieldsOf(below, path === '' ? name : `${path}.${name}`),
    );
  }
  return schema.items?.properties ? fieldsOf(schema.items, `${path}[]`) : [path];
}

async function helpOf(command: readonly string[]): Promise<string> {
  let help = '';
  const edge: Edge = {
    env: {},
    cwd: '/',
    pid: 1,
    isRoot: false,
    homeDirectory: undefined,
    stderrIsTerminal: false,
    stdout: (said) => {
      help += said;
    },
    stderr: () => {},
    onEndSignal: () => () => {},
    onReload: () => () => {},
  };
  expect(await main([...command, '--help'], edge)).toBe(0);
  return help;
}

function commandsIn(help: string): string[] {
  const list = help.split('Commands:\n')[1]?.split('\n\n')[0] ?? '';
  return [...list.matchAll(/^ {2}([a-z]+)/gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
}

function flagsIn(help: string): string[] {
  return [...help.matchAll(/--[a-z][a-z-]+/g)].map(([flag]) => flag);
}
