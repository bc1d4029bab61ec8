/** `npm run build:sbom`: writes dist/trainlogd-VERSION.cdx.json, what the program is made of. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import description from '../../package.json' with { type: 'json' };
import { materials } from './materials.ts';

const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist' } } });
const out = resolve(import.meta.dirname, '..', '..', values.out);
mkdirSync(out, { recursive: true });
const file = join(out, `${description.name}-${description.version}.cdx.json`);
writeFileSync(file, materials());
process.stdout.write(`${file}\n`);
