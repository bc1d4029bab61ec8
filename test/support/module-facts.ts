import { parseAst } from 'vitest/node';

/** What a module takes from outside itself: the modules that it names, and the globals that it reaches for. */
export interface ModuleFacts {
  readonly imports: readonly ImportFact[];
  /** `process`, `Date.now`, `new Date()`: free names, with the member or the call where there is one. */
  readonly globals: ReadonlySet<string>;
}

export interface ImportFact {
  readonly specifier: string;
  /** As exported there; `*` for all of it. */
  readonly names: readonly string[];
  readonly isDynamic: boolean;
}

type Node = { readonly type: string; readonly [field: string]: unknown };
type Scope = { readonly names: Set<string>; readonly outer: Scope | undefined };

/** Type-only imports count: they are dependencies of whoever reads the code. */
export function readModule(text: string): ModuleFacts {
  const imports: ImportFact[] = [];
  const globals = new Set<string>();
  visit(parseAst(text, { lang: 'ts' }) as unknown as Node, undefined, imports, globals);
  return { imports, globals };
}

function visit(node: Node, outer: Scope | undefined, imports: ImportFact[], globals: Set<string>): void {
  const fact = importOf(node);
  if (fact) imports.push(fact);
  if (node.type === 'ImportDeclaration' || node.type === 'ExportAllDeclaration') return;
  const scope = scopeOf(node, outer);
  for (const name of globalsOf(node, scope)) globals.add(name);
  for (const [field, value] of Object.entries(node)) {
    if (isNameOnly(node, field)) continue;
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) visit(child, scope, imports, globals);
    }
  }
}

function importOf(node: Node): ImportFact | undefined {
  const isDynamic = node.type === 'ImportExpression';
  if (!isDynamic && !/^(Import|ExportAll|ExportNamed)Declaration$|^TSImportType$/.test(node.type))
    return undefined;
  if (!isNode(node['source'])) return undefined;
  const { value } = node['source'];
  const specifiers = Array.isArray(node['specifiers']) ? node['specifiers'].filter(isNode) : undefined;
  const names = specifiers?.map((one) => nameOf(one['imported']) ?? nameOf(one['local']) ?? '*') ?? ['*'];
  const isWhole = specifiers?.some((one) => /Default|Namespace/.test(one.type));
  return { specifier: typeof value === 'string' ? value : '', names: isWhole ? ['*'] : names, isDynamic };
}

/** Names that are declared at this node hide globals of the same name below it. */
function scopeOf(node: Node, outer: Scope | undefined): Scope | undefined {
  const names = new Set<string>();
  if (Array.isArray(node['params'])) bind(node['params'], names);
  if (node.type === 'CatchClause') bind(node['param'], names);
  if (/^For/.test(node.type)) declare([node['init'], node['left']], names);
  if (Array.isArray(node['body'])) declare(node['body'], names);
  return names.size === 0 ? outer : { names, outer };
}

function declare(statements: readonly unknown[], names: Set<string>): void {
  for (const statement of statements) {
    if (!isNode(statement)) continue;
    if (isNode(statement['declaration'])) declare([statement['declaration']], names);
    if (statement.type === 'VariableDeclaration') bind(statement['declarations'], names);
    if (statement.type === 'ImportDeclaration') bind(statement['specifiers'], names);
    if (/^(Function|Class)Declaration$/.test(statement.type)) bind(statement['id'], names);
  }
}

/** Every name that a pattern binds. */
function bind(pattern: unknown, names: Set<string>): void {
  if (Array.isArray(pattern)) for (const one of pattern) bind(one, names);
  if (!isNode(pattern)) return;
  const name = nameOf(pattern);
  if (name !== undefined) names.add(name);
  for (const field of ['id', 'local', 'left', 'argument', 'elements', 'properties', 'value', 'parameter']) {
    if (pattern.type !== 'Identifier') bind(pattern[field], names);
  }
}

function globalsOf(node: Node, scope: Scope | undefined): string[] {
  const free = (value: unknown): string | undefined => {
    const name = nameOf(value);
    return name !== undefined && !isBound(name, scope) ? name : undefined;
  };
  switch (node.type) {
    case 'Identifier':
      return [free(node) ?? []].flat();
    case 'MemberExpression': {
      const owner = free(node['object']);
      return owner === undefined ? [] : [`${owner}.${nameOf(node['property']) ?? '*'}`];
    }
    case 'NewExpression': {
      const made = free(node['callee']);
      return made !== undefined && isEmpty(node['arguments']) ? [`new ${made}()`] : [];
    }
    case 'CallExpression': {
      const called = free(node['callee']);
      return called === undefined ? [] : [`${called}()`];
    }
    default:
      return [];
  }
}

/** Fields that hold a name or a type, not a reference to a value. */
function isNameOnly(node: Node, field: string): boolean {
  if (/^TS(As|Satisfies|NonNull)Expression$/.test(node.type)) return field !== 'expression';
  if (node.type.startsWith('TS')) return node.type !== 'TSImportType' && field !== 'typeAnnotation';
  if (node['computed'] === true) return false;
  if (field === 'property') return node.type === 'MemberExpression';
  if (field === 'key') return true;
  return (
    field === 'label' || field === 'meta' || node.type === 'ExportSpecifier' || node.type === 'MetaProperty'
  );
}

function isBound(name: string, scope: Scope | undefined): boolean {
  for (let at = scope; at; at = at.outer) if (at.names.has(name)) return true;
  return false;
}

function nameOf(value: unknown): string | undefined {
  return isNode(value) && value.type === 'Identifier' && typeof value['name'] === 'string'
    ? value['name']
    : undefined;
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
