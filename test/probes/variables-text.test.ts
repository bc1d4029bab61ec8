import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pickVariables, variablesText } from '../../src/probes/variables-text.ts';

const names = new Set(['SLURM_JOB_ID', 'RUNPOD_POD_ID', '__proto__']);
const pick = (text: string, options = {}) => pickVariables(Buffer.from(text), names, options);

test('of an environment only the named variables are picked', () => {
  const text = 'AWS_SECRET_ACCESS_KEY=wJalr\nSLURM_JOB_ID=5109\nHF_TOKEN=hf_x\n';
  expect(pick(text)).toEqual({ SLURM_JOB_ID: '5109' });
});

test.each([
  ['as shells write it', 'export SLURM_JOB_ID="5109"\r\n'],
  ['quoted', "SLURM_JOB_ID='5109'"],
  ['with spaces around it', '  SLURM_JOB_ID = 5109 '],
  ['behind a byte order mark', '\ufeffSLURM_JOB_ID=5109\n'],
  ['behind a comment and an empty line', '# the job\n\nSLURM_JOB_ID=5109\n'],
  ['said twice, the last counts', 'SLURM_JOB_ID=1\nSLURM_JOB_ID=5109\n'],
])('a line is read %s', (_, text) => {
  expect(pick(text)).toEqual({ SLURM_JOB_ID: '5109' });
});

test('an environment block is separated by NULs, and its values are as they are', () => {
  const block = 'A=1\0SLURM_JOB_ID= "5\n109" \0RUNPOD_POD_ID=\0';
  expect(pick(block, { separator: 0 })).toEqual({ SLURM_JOB_ID: ' "5\n109" ', RUNPOD_POD_ID: '' });
});

test('the last entry of what was cut may be half of one', () => {
  const text = 'RUNPOD_POD_ID=a\nSLURM_JOB_ID=51';
  expect(pick(text, { complete: false })).toEqual({ RUNPOD_POD_ID: 'a' });
  expect(pick(text)).toEqual({ RUNPOD_POD_ID: 'a', SLURM_JOB_ID: '51' });
});

test('a name that means something to JavaScript is a name', () => {
  const picked = pick('__proto__=x\n');
  expect(Object.entries(picked)).toEqual([['__proto__', 'x']]);
  expect(Object.getPrototypeOf(picked)).toBe(Object.prototype);
});

test('values and names without bound are left out', () => {
  expect(pick(`SLURM_JOB_ID=${'1'.repeat(100_000)}\n`)).toEqual({});
  expect(pick(`${'x'.repeat(100_000)}=1\nSLURM_JOB_ID=1\n`)).toEqual({ SLURM_JOB_ID: '1' });
});

test('any bytes give nothing but named variables', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc
      .array(fc.constantFrom('SLURM_JOB_ID', '=', '\n', '\0', '"', 'export ', '\ufeff', 'x'))
      .map((parts) => Buffer.from(parts.join(''))),
  );
  fc.assert(
    fc.property(bytes, fc.constantFrom(0, 10), fc.boolean(), (found, separator, complete) => {
      const picked = pickVariables(Buffer.from(found), names, { separator, complete });
      for (const name of Object.keys(picked)) expect(names).toContain(name);
    }),
    { seed: 5, numRuns: 2000 },
  );
});

test('what is written is read back, in order of the names, without what does not fit on a line', () => {
  const environment = {
    SLURM_JOB_ID: '5109',
    RUNPOD_POD_ID: 'two\nlines',
    HF_TOKEN: 'hf_secret',
    AWS_SECRET_ACCESS_KEY: 'x',
  };
  const text = variablesText(environment, names);
  expect(text).toBe('SLURM_JOB_ID=5109\n');
  expect(pick(text)).toEqual({ SLURM_JOB_ID: '5109' });
  expect(variablesText({ SLURM_JOB_ID: '', RUNPOD_POD_ID: undefined }, names)).toBe('');
});
