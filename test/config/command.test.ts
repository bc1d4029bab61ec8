import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { configCheck, configPrint } from '../../src/commands/config.ts';
import { type LoadInputs, loadConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/problem.ts';
import { optionKeys } from '../../src/config/schema.ts';
import { inputsWith, makeDirectory } from './support.ts';

function run(command: typeof configCheck, inputs: Partial<LoadInputs>, json = false) {
  let output = '';
  const write = (text: string) => {
    output += text;
  };
  return { code: command({ inputs: inputsWith(inputs), write, json }), output };
}

describe('config check', () => {
  test('says ok and exits with 0', () => expect(run(configCheck, {})).toEqual({ code: 0, output: 'ok\n' }));

  test('says its warnings before ok', () => {
    const { code, output } = run(configCheck, { env: { AWS_REGION: '' } });
    expect([code, output]).toEqual([0, expect.stringMatching(/^warning: destination\.region: .*\nok\n$/)]);
  });

  test('says all problems and exits with 78', () => {
    const { code, output } = run(configCheck, {
      env: { TRAINLOGD_LOG_LEVEL: 'x', TRAINLOGD_WATCH_IDLE: '1' },
    });
    expect(code).toBe(78);
    expect(output.trim().split('\n')).toHaveLength(3);
  });

  test('gives programs the same as JSON', () => {
    expect(JSON.parse(run(configCheck, {}, true).output)).toEqual({ ok: true, problems: [], warnings: [] });
    const { code, output } = run(configCheck, { env: { TRAINLOGD_LOG_LEVEL: 'x' } }, true);
    expect(code).toBe(78);
    expect(JSON.parse(output)).toMatchObject({ ok: false, problems: [{ key: 'log.level', value: '"x"' }] });
  });
});

describe('config print', () => {
  const env = {
    TRAINLOGD_DEFAULTS_POD: 'gpuCount=8',
    TRAINLOGD_DESTINATION_TAGS: 'a=b',
    TRAINLOGD_WATCH_IDLE: '90s',
  };

  test('gives a file that loads to the same configuration', () => {
    const printed = run(configPrint, { env }).output;
    const cwd = makeDirectory({ 'c.yaml': printed });
    const again = loadConfig(
      inputsWith({ cwd, configFile: 'c.yaml', env: { S3_BUCKET_NAME: '', AWS_REGION: '' } }),
    );
    expect(again.config).toEqual(loadConfig(inputsWith({ env })).config);
  });

  test('names every key, and the source of each value that is set', () => {
    const { code, output } = run(configPrint, { env });
    expect(code).toBe(0);
    for (const key of optionKeys) expect(output).toMatch(new RegExp(`^  (# )?${key.split('.')[1]}:`, 'm'));
    expect(output).toContain('  idle: 90s  # environment (TRAINLOGD_WATCH_IDLE)\n');
    expect(output).toContain('  url: s3://my-logs  # environment (S3_BUCKET_NAME)\n');
    expect(Object.keys(parse(output))).toContain('companions');
  });

  test('--json gives the configuration, its sources and where the credentials are from', () => {
    const keys = { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'hush-hush' };
    const printed = JSON.parse(run(configPrint, { env: { ...env, ...keys } }, true).output);
    expect(printed).toMatchObject({
      config: { watch: { idleMs: 90_000 } },
      sources: { 'watch.idle': 'environment (TRAINLOGD_WATCH_IDLE)' },
      credentials: 'environment (AWS_ACCESS_KEY_ID), environment (AWS_SECRET_ACCESS_KEY)',
      warnings: [],
    });
  });

  test('exits with 78 where the configuration does not hold', () => {
    expect(run(configPrint, { env: { S3_BUCKET_NAME: '' } }).code).toBe(78);
  });
});

describe('a secret', () => {
  const secretText = fc.string({ unit: fc.constantFrom(...'abcDEF019+/='), minLength: 12, maxLength: 40 });
  const around = fc.constantFrom<[string, string]>(
    ['', ''],
    ['"', '"'],
    ['"', ''],
    [' ', ' '],
    ["'", '"'],
    ['x y', ''],
  );
  const elsewhere = fc.constantFrom(
    'TRAINLOGD_UNKNOWN',
    'AWS_ENDPOINT_URL_S3',
    'TRAINLOGD_DESTINATION_URL',
    'OTHER',
  );

  /** All that the program could say or hold in view with these inputs. */
  function everythingSaid(inputs: Partial<LoadInputs>): string {
    const said = [configCheck, configPrint].flatMap((command) =>
      [false, true].map((json) => run(command, inputs, json).output),
    );
    try {
      const loaded = loadConfig(inputsWith(inputs));
      return [...said, JSON.stringify(loaded), inspect(loaded, { depth: 9 })].join('\n');
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return [...said, JSON.stringify(error), inspect(error, { depth: 9 })].join('\n');
    }
  }

  test('of the environment never shows, however it is quoted and where people put it by mistake', () => {
    fc.assert(
      fc.property(secretText, around, elsewhere, fc.boolean(), (secret, [before, after], name, half) => {
        const env = {
          ...(half ? {} : { AWS_ACCESS_KEY_ID: 'AKIA' }),
          AWS_SECRET_ACCESS_KEY: `${before}${secret}${after}`,
          AWS_SESSION_TOKEN: `${secret}-token`,
          [name]: /URL/.test(name) ? `http://user:${secret}@host` : secret,
        };
        return !everythingSaid({ env }).includes(secret);
      }),
    );
  });

  test('of a .env or YAML file never shows', () => {
    fc.assert(
      fc.property(secretText, around, (secret, [before, after]) => {
        const file = {
          '.env': `AWS_SECRET_ACCESS_KEY ${secret}\nAWS_SESSION_TOKEN=${before}${secret}${after}`,
        };
        const yaml = `destination:\n  secretAccessKey: ${secret}\n  url: s3://AKIA:${secret}@bucket\ndefaults:\n  pod: { password: ${before}${secret}${after} }\n`;
        const cwd = makeDirectory({ ...file, 'c.yaml': yaml });
        return !everythingSaid({ cwd, configFile: 'c.yaml' }).includes(secret);
      }),
      { numRuns: 50 },
    );
  });

  test('copied into another variable is hidden there', () => {
    const secret = 'abcdefABCDEF0123456789';
    const env = { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: secret, TRAINLOGD_LOG_LEVEL: secret };
    expect(everythingSaid({ env })).not.toContain(secret);
    expect(everythingSaid({ env })).toContain('log.level = "[redacted]"');
  });
});
