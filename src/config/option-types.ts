import { z } from 'zod';
import { defaultExcludes } from './default-globs.ts';
import { checkGlob, checkName, checkPath } from './text-checks.ts';
import { checkedText, integer, list, map, scalarText, type ValueType } from './value-types.ts';

/** Kinds of value that the options have and that need more than one line. */

export const path = checkedText(
  'a path; a relative one starts at the working directory, ~/ at the home',
  checkPath,
);
export const globs = list('a list of globs such as **/*.log (in a variable separated by commas)', checkGlob);
export const name = checkedText('text of 1 to 256 characters', checkName);
export const nameSchema = name.schema;

/** `+GLOB` items add to the defaults, a plain list replaces them. */
export const excludes: ValueType<readonly string[]> = {
  accepts: `${globs.accepts}: each as +GLOB to add to the defaults, or each plain to replace them`,
  schema: list('', (item) => checkGlob(item.replace(/^\+(?!\()/, ''))).schema.transform((items, context) => {
    const added = items.filter((item) => /^\+(?!\()/.test(item)).map((item) => item.slice(1));
    if (added.length === 0) return items;
    if (added.length === items.length) return [...defaultExcludes, ...added];
    context.addIssue({ code: 'custom', message: 'some items begin with + and some do not' });
    return z.NEVER;
  }),
  print: (value) => value,
};

export const tags = map(
  'up to 10 tags (in a variable as a=b,c=d); name up to 128, value up to 256 of letters, digits, spaces and + - = . _ : / @',
  z
    .record(
      z.string().regex(/^(?!aws:)[\p{L}\p{N}\p{Zs}+\-=._:/@]{1,128}$/u),
      scalarText.pipe(z.string().regex(/^[\p{L}\p{N}\p{Zs}+\-=._:/@]{0,256}$/u)),
    )
    .refine((entries) => Object.keys(entries).length <= 10, 'more than 10 tags'),
);

export const pod = map(
  'the fields id, provider, gpuType (text) and gpuCount (1 to 1024); in a variable as gpuType=H100,gpuCount=8',
  z.strictObject({
    id: z.exactOptional(nameSchema),
    provider: z.exactOptional(nameSchema),
    gpuType: z.exactOptional(nameSchema),
    gpuCount: z.exactOptional(integer(1, 1024).schema),
  }),
);
