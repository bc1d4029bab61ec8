import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bashCompletion } from '../../config/package/completion.ts';
import { describeAll } from '../../config/package/described.ts';
import { manualPage } from '../../config/package/manual.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const described = describeAll();

describe('the man page', () => {
  const page = manualPage(described, '1.2.3', '2026-11-01');

  test('has every command with each of its options, as --help says them', () => {
    for (const { name, options, description } of described.slice(1)) {
      const [, section = ''] = page.split(`.SS trainlogd ${name}`);
      const own = section.split('\n.SS ')[0] ?? '';
      expect(own.toLowerCase()).toContain(description.toLowerCase().replaceAll('-', '\\-'));
      for (const { flags } of options.filter(({ names }) => !names.includes('--help')))
        expect(own).toContain(`.B ${flags.replaceAll('-', '\\-')}\n`);
    }
  });

  test('knows every request that it makes, and no line of text is taken for one', () => {
    const known = /^\.(TH|SH|SS|B|BR|RI|I|TP|PP|nf|fi)\b/;
    const requests = page.split('\n').filter((line) => /^[.']/.test(line));
    expect(requests.filter((line) => !known.test(line))).toEqual([]);
    expect(page).not.toMatch(/[^\\\x20-\x7e\n]/);
  });

  test('begins with name, section, date and version', () => {
    expect(page.split('\n').slice(0, 3)).toEqual([
      '.TH TRAINLOGD 1 2026-11-01 "trainlogd 1.2.3" "User Commands"',
      '.SH NAME',
      'trainlogd \\- ships the log and files of every training session to S3, so that none is ever lost',
    ]);
  });
});

/** What bash offers behind these words, the last of which is being typed. */
async function offered(...words: string[]): Promise<string[]> {
  const directory = await temporaryDirectory();
  writeFileSync(join(directory, 'completion'), bashCompletion(described));
  for (const name of ['outputs.yaml', 'my runs $(touch *)']) writeFileSync(join(directory, name), '');
  const script = `source ./completion; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _trainlogd; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const args = ['--norc', '-c', script, 'bash', 'trainlogd', ...words];
  const said = spawnSync('bash', args, { cwd: directory, encoding: 'utf8' });
  expect(said.stderr).toBe('');
  return said.stdout.split('\n').filter((line) => line !== '');
}

describe('completion in bash', () => {
  test.each<[string[], string[]]>([
    [['ver'], ['verify']],
    [['st'], ['status']],
    [
      ['bucket', ''],
      ['plan', 'apply'],
    ],
    [['iam', 'p'], ['policy']],
    [['--json', 'config', 'ch'], ['check']],
    [['status', '--w'], ['--watch']],
    [['drain', '--f'], ['--final']],
    [['bucket', 'plan', '--js'], ['--json']],
    [['run', 'out'], ['outputs.yaml']],
    [['run', 'my'], ['my runs $(touch *)']],
    [['--config', 'out'], ['outputs.yaml']],
    [['--log-level', 'd'], ['debug']],
    [['exec', '--', 'out'], ['outputs.yaml']],
  ])('behind %j offers %j', async (words, expected) => {
    expect(await offered(...words)).toEqual(expected);
  });

  test('offers every command', async () => {
    expect(await offered('')).toEqual(expect.arrayContaining([...(described[0]?.below ?? [])]));
  });
});
