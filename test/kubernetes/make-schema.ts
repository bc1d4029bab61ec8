/**
 * Writes test/fixtures/kubernetes/schema.json: what the API server of Kubernetes accepts of the kinds that
 * config/kubernetes uses, as JSON Schema that knows no other field. From the types of two npm packages, both Apache-2.0,
 * which are made from the API's own description: unpack them and give their directories,
 *
 *   node test/kubernetes/make-schema.ts CLIENT-NODE PROMETHEUS-OPERATOR
 *
 * @kubernetes/client-node and @kubernetes-models/prometheus-operator. Neither is needed to run the tests.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

type Schema = Readonly<Record<string, unknown>>;

const kinds: Readonly<Record<string, string>> = {
  'v1/Pod': 'V1Pod',
  'v1/ServiceAccount': 'V1ServiceAccount',
  'v1/PersistentVolumeClaim': 'V1PersistentVolumeClaim',
  'v1/Namespace': 'V1Namespace',
  'batch/v1/Job': 'V1Job',
  'apps/v1/DaemonSet': 'V1DaemonSet',
};
const monitors = 'monitoring.coreos.com/v1/PodMonitor';

const [client = '', operator = ''] = process.argv.slice(2);
const definitions: Record<string, Schema> = {};
for (const name of Object.values(kinds)) defineClass(name);
definePodMonitor();
const versionOf = (at: string) => {
  const { name, version } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'));
  return `${name} ${version}`;
};
const document = {
  $comment: `Made by test/kubernetes/make-schema.ts of ${versionOf(client)} (Kubernetes ${release()}) and ${versionOf(operator)}, both Apache-2.0`,
  kinds: Object.fromEntries([...Object.entries(kinds), [monitors, 'PodMonitor']]),
  $defs: Object.fromEntries(Object.entries(definitions).toSorted(([a], [b]) => (a < b ? -1 : 1))),
};
writeFileSync(
  join(import.meta.dirname, '..', 'fixtures', 'kubernetes', 'schema.json'),
  `${JSON.stringify(document, null, 1)}\n`,
);

function modelFile(name: string): string {
  return join(client, 'dist', 'gen', 'models', `${name}.d.ts`);
}

function release(): string {
  return /OpenAPI spec version: release-(\S+)/.exec(readFileSync(modelFile('V1Pod'), 'utf8'))?.[1] ?? '';
}

function defineClass(name: string): void {
  if (definitions[name]) return;
  definitions[name] = {};
  const [, body = ''] = readFileSync(modelFile(name), 'utf8').split('export declare class ');
  definitions[name] = objectOf(body.split('static readonly')[0] ?? '', (type) => {
    if (!existsSync(modelFile(type))) return undefined;
    defineClass(type);
    return type;
  });
}

/** The operator's types lie one a file; a class has the fields of what it extends too, an alias is of a word or words. */
function definePodMonitor(file = join(operator, 'monitoring.coreos.com', 'v1', 'PodMonitor.d.ts')): string {
  const name = basename(file, '.d.ts');
  if (definitions[name]) return name;
  definitions[name] = {};
  const text = readFileSync(file, 'utf8');
  const resolve = (type: string): string | undefined => {
    const from = new RegExp(`import \\{ ${type} \\} from "(\\./[^"]+)\\.js"`).exec(text)?.[1];
    if (from !== undefined) return definePodMonitor(join(dirname(file), `${from}.d.ts`));
    const ofCore = /(LabelSelector|ObjectMeta|SecretKeySelector|ConfigMapKeySelector)$/.exec(type)?.[1];
    return ofCore === undefined ? undefined : classNamed(`V1${ofCore}`);
  };
  const fields = /export declare class \w+ [^{]*\{([\s\S]*?)constructor\(/.exec(text)?.[1];
  const alias = /export type I\w+ = (.*);/.exec(text)?.[1];
  definitions[name] =
    fields === undefined ? schemaOf(alias ?? '', resolve) : objectOf(withoutStatic(fields), resolve);
  return name;
}

/** Kind and version are constants of the class, fields of the document. */
function withoutStatic(fields: string): string {
  return fields.replace(/^\s*static .*$/gm, '');
}

function classNamed(name: string): string {
  defineClass(name);
  return name;
}

function objectOf(body: string, resolve: (type: string) => string | undefined): Schema {
  const properties: Record<string, Schema> = {};
  const required: string[] = [];
  const fields = body
    .replace(/\/\*\*[\s\S]*?\*\//g, '')
    .matchAll(/^\s*['"]([^'"]+)['"](\?)?: (\{[\s\S]*?\n\s*\}|[^{;]*|Array<\{[\s\S]*?\}>);\s*$/gm);
  for (const [, name = '', optional, type = ''] of fields) {
    // The client's names for words that TypeScript reserves.
    const field = name.replace(/^_/, '');
    properties[field] = schemaOf(type.replace(/\s+/g, ' ').trim(), resolve);
    if (!optional) required.push(field);
  }
  return { type: 'object', properties, required, additionalProperties: false };
}

function schemaOf(type: string, resolve: (type: string) => string | undefined): Schema {
  const list = /^Array<(.*)>$/.exec(type)?.[1];
  if (list !== undefined) return { type: 'array', items: schemaOf(list, resolve) };
  const map = /^\{ \[(?:key|name): string\]: (.*); \}$/.exec(type)?.[1];
  if (map !== undefined) return { type: 'object', additionalProperties: schemaOf(map, resolve) };
  if (/^(string|number|boolean)$/.test(type)) return { type };
  const words = type.split(' | ');
  if (words.length > 1 && words.every((word) => /^"/.test(word)))
    return { enum: words.map((word) => JSON.parse(word) as string) };
  if (/^"/.test(type)) return { enum: [JSON.parse(type)] };
  if (/IntOrString|Quantity|^string \| number$|^number \| string$/.test(type))
    return { type: ['string', 'number'] };
  if (/Time$|^Date$/.test(type)) return { type: 'string' };
  if (/^(any|object)$/.test(type)) return {};
  const name = resolve(type);
  if (name === undefined) throw new Error(`no schema is known for the type ${type}`);
  return { $ref: `#/$defs/${name}` };
}
