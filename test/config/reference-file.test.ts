import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { printReference } from '../../src/config/print.ts';
import { optionKeys, optionOf, variableOf } from '../../src/config/schema.ts';

const file = new URL('../../config/trainlogd.yaml', import.meta.url);
const text = readFileSync(file, 'utf8');
const uncommented: Record<string, Record<string, unknown>> = parse(text.replace(/^( *)#(?=\S| {2})/gm, '$1'));

test('config/trainlogd.yaml is what the options say (vitest -u writes it anew)', async () => {
  await expect(printReference()).toMatchFileSnapshot(file.pathname);
});

test('config/trainlogd.yaml as it stands sets nothing', () => {
  for (const section of Object.values(parse(text))) expect(section).toBeNull();
});

test('config/trainlogd.yaml lists every option and no other', () => {
  const keys = Object.entries(uncommented).flatMap(([section, held]) =>
    Object.keys(held).map((key) => `${section}.${key}`),
  );
  expect(keys).toEqual(optionKeys);
});

test.each(optionKeys)('%s stands there with its documentation, variable and default', (key) => {
  const { doc, type, default: standard, example } = optionOf(key);
  const [section = '', name = ''] = key.split('.');
  const written = type.schema.parse(uncommented[section]?.[name]);
  expect(written).toEqual(type.schema.parse(standard ?? example));
  expect(text).toContain(`# ${doc} [${variableOf(key)}]`);
});

test.each(optionKeys)('%s prints what it reads', (key) => {
  const { type, default: standard, example } = optionOf(key);
  const value = type.schema.parse(standard ?? example);
  expect(type.schema.parse(type.print(value))).toEqual(value);
});
