import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanValue, parseDotenv } from '../../src/config/dotenv.ts';
import { load, loadError, makeDirectory } from './support.ts';

describe('parseDotenv()', () => {
  test.each([
    ['A=b', 'A', 'b'],
    ['export A=b', 'A', 'b'],
    ['  A=b', 'A', 'b'],
    ['A=b # comment', 'A', 'b'],
    ['A=b#c', 'A', 'b#c'],
    ['A="b # c" # comment', 'A', '"b # c" '],
    ['A=b=c==', 'A', 'b=c=='],
    ['A=', 'A', ''],
    ['\uFEFFA=b', 'A', 'b'],
    ['A=b\r', 'A', 'b'],
  ])('reads %j', (line, name, raw) => {
    expect(parseDotenv(line).entries).toMatchObject([{ name, raw }]);
  });

  test('passes over comments and empty lines and counts lines from 1', () => {
    const { entries } = parseDotenv('# one\n\nA=1\r\n#B=2\nC=3\n');
    expect(entries.map(({ name, line }) => [name, line])).toEqual([
      ['A', 3],
      ['C', 5],
    ]);
  });

  test('an open quote of one variable does not swallow the next', () => {
    expect(parseDotenv('A="open\nB=2').entries.map(({ name }) => name)).toEqual(['A', 'B']);
  });

  test('reads any text without an error', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseDotenv(text)));
  });
});

describe('cleanValue()', () => {
  test.each<[string, string, string[]]>([
    ['plain', 'plain', []],
    ['"x"', 'x', ['quotes']],
    ["'x'", 'x', ['quotes']],
    ['\u201Cx\u201D', 'x', ['quotes']],
    [' x', 'x', ['spaces']],
    ['x\t', 'x', ['spaces']],
    ['x\u00A0', 'x', ['spaces']],
    ['\u200Bx', 'x', ['spaces']],
    ['" x "', 'x', ['quotes', 'spaces']],
    ['""', '', ['quotes']],
    ["it's", "it's", []],
    ['', '', []],
  ])('of %j is %j', (raw, value, removed) => {
    const clean = cleanValue(raw);
    expect(clean).toMatchObject({ value });
    expect('removed' in clean && clean.removed.toSorted()).toEqual(removed);
  });

  test.each(['"x', 'x"', '\'x"', '"', '"a"b"'])('refuses the unmatched quotes of %j', (raw) => {
    expect(cleanValue(raw)).toHaveProperty('problem');
  });
});

describe('a .env file', () => {
  test('gives the guide its variables, with quotes and spaces removed and named by file and line', () => {
    const cwd = makeDirectory({
      '.env': [
        '# AWS S3 Configuration',
        'AWS_ACCESS_KEY_ID=AKIAEXAMPLE',
        'AWS_SECRET_ACCESS_KEY="abc/def+ghi="',
        'AWS_REGION = us-west-2',
        'S3_BUCKET_NAME=team-logs ',
        'OTHER="not ours',
      ].join('\n'),
    });
    const { config, warnings } = load({ cwd, env: { S3_BUCKET_NAME: '', AWS_REGION: '' } });
    expect(config.destination).toMatchObject({ bucket: 'team-logs', region: 'us-west-2' });
    expect(config.destination.kind === 's3' && config.destination.credentials).toEqual({
      accessKeyId: 'AKIAEXAMPLE',
      secretAccessKey: 'abc/def+ghi=',
    });
    expect(warnings).toEqual([
      `${cwd}/.env:3 (AWS_SECRET_ACCESS_KEY): quotes around the value were removed`,
      `${cwd}/.env:4 (AWS_REGION): spaces before "=" were removed; a shell would not accept them`,
      `${cwd}/.env:4 (AWS_REGION): spaces around the value were removed`,
      `${cwd}/.env:5 (S3_BUCKET_NAME): spaces around the value were removed`,
    ]);
  });

  test('with an unmatched quote or a missing "=" is refused by file and line', () => {
    const cwd = makeDirectory({
      '.env': 'AWS_SECRET_ACCESS_KEY="abc\nS3_BUCKET_NAME: logs\nTRAINLOGD_LOG_LEVL=info\n',
    });
    expect(loadError({ cwd }).problems).toMatchObject([
      { key: 'S3_BUCKET_NAME', at: `${cwd}/.env:2` },
      { key: 'AWS_SECRET_ACCESS_KEY', at: `${cwd}/.env:1 (AWS_SECRET_ACCESS_KEY)` },
      { key: 'TRAINLOGD_LOG_LEVL', problem: 'unknown variable; did you mean TRAINLOGD_LOG_LEVEL?' },
    ]);
  });

  test('that sets a variable twice counts the last and says so', () => {
    const cwd = makeDirectory({ '.env': 'S3_BUCKET_NAME=one-logs\nS3_BUCKET_NAME=two-logs\n' });
    const { config, warnings } = load({ cwd, env: { S3_BUCKET_NAME: undefined } });
    expect(config.destination).toMatchObject({ bucket: 'two-logs' });
    expect(warnings.join()).toContain('.env:2 (S3_BUCKET_NAME): set for the second time');
  });

  test('that is named must exist, one that is not named need not', () => {
    const cwd = makeDirectory();
    expect(load({ cwd }).warnings).toEqual([]);
    expect(loadError({ cwd, envFile: 'prod.env' }).message).toContain(
      '--env-file = "prod.env": there is no such file',
    );
  });

  test('named by --env-file takes the place of .env', () => {
    const cwd = makeDirectory({
      '.env': 'TRAINLOGD_LOG_LEVEL=debug',
      'prod.env': 'TRAINLOGD_LOG_FORMAT=json',
    });
    expect(load({ cwd, envFile: 'prod.env' }).config.log).toEqual({ level: 'info', format: 'json' });
  });

  test('that is a directory is a Python environment and passed over', () => {
    expect(load({ cwd: makeDirectory({ '.env/bin/python': '' }) }).warnings).toEqual([]);
  });
});

test('quotes and spaces that come through the real environment are removed and named', () => {
  const { config, warnings } = load({ env: { S3_BUCKET_NAME: '"my-logs"', AWS_REGION: ' eu-west-1' } });
  expect(config.destination).toMatchObject({ bucket: 'my-logs', region: 'eu-west-1' });
  expect(warnings).toEqual([
    'environment (S3_BUCKET_NAME): quotes around the value were removed',
    'environment (AWS_REGION): spaces around the value were removed',
  ]);
});
