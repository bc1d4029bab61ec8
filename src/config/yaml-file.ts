import type { Document, Node, Pair, YAMLMap } from 'yaml';
import { isAlias, isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { nearest } from './nearest.ts';
import type { Findings } from './problem.ts';
import { isOptionKey, optionKeys } from './schema.ts';
import type { Layer, Setting } from './source.ts';

/** An alias may stand for others; more than this many in one value is an attack or a mistake. */
const aliasesMax = 100;
/** One slip makes many faults; the first ones tell. */
const faultsMax = 5;

/**
 * The options that a YAML text sets, by key. Sections may be nested (`watch:` over `settle:`) or dotted
 * (`watch.settle:`); an empty section or value sets nothing. `file` is how messages name it.
 */
export function readYaml(text: string, file: string, findings: Findings): Layer {
  return new YamlReader(text, file, findings).read();
}

class YamlReader {
  readonly #file: string;
  readonly #findings: Findings;
  readonly #lines = new LineCounter();
  readonly #document: Document;
  readonly #settings = new Map<string, Setting>();

  constructor(text: string, file: string, findings: Findings) {
    this.#file = file;
    this.#findings = findings;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
  }

  read(): Layer {
    const faults = [...this.#document.errors, ...this.#document.warnings];
    // The parser's own messages quote the text, which may hold a secret: only its codes are passed on.
    for (const fault of faults.slice(0, faultsMax)) {
      const code = fault.code.toLowerCase().replaceAll('_', ' ');
      this.#problem(this.#file, `not readable as YAML: ${code}`, fault.pos[0]);
    }
    if (faults.length === 0) this.#readSection('', this.#document.contents);
    return this.#settings;
  }

  #readSection(path: string, node: Node | null): void {
    const section = isAlias(node) ? node.resolve(this.#document) : node;
    if (section === null || (isScalar(section) && section.value === null)) return;
    if (!isMap(section)) {
      const subject = path === '' ? 'the file' : 'this section';
      this.#problem(path || this.#file, `${subject} must be a mapping of keys to values`, node?.range?.[0]);
      return;
    }
    for (const { key, value } of pairs(section)) {
      const name = isScalar(key) ? String(key.value) : '?';
      const full = path === '' ? name : `${path}.${name}`;
      const offset = key?.range?.[0];
      if (isOptionKey(full)) this.#set(full, value, offset);
      else if (optionKeys.some((known) => known.startsWith(`${full}.`))) this.#readSection(full, value);
      else this.#problem(full, unknownKey(full), offset);
    }
  }

  #set(key: string, node: Node | null, offset: number | undefined): void {
    const raw = this.#toValue(key, node);
    if (raw === null || raw === undefined) return;
    if (this.#settings.has(key)) this.#problem(key, 'set for the second time', offset);
    this.#settings.set(key, { raw, source: { layer: 'file', at: this.#at(offset) } });
  }

  #toValue(key: string, node: Node | null): unknown {
    try {
      return node?.toJS(this.#document, { maxAliasCount: aliasesMax });
    } catch (error) {
      if (!(error instanceof ReferenceError)) throw error;
      // YAML reads `- *.log` as an alias, which is what people mean least.
      const problem =
        'put a value that begins with * in quotes: YAML takes it for an alias (undefined, or too many)';
      this.#problem(key, problem, node?.range?.[0]);
      return undefined;
    }
  }

  #problem(key: string, problem: string, offset?: number): void {
    this.#findings.problems.push({ key, problem, at: this.#at(offset) });
  }

  #at(offset: number | undefined): string {
    return offset === undefined ? this.#file : `${this.#file}:${this.#lines.linePos(offset).line}`;
  }
}

function pairs(section: YAMLMap): Pair<Node | null, Node | null>[] {
  return section.items as Pair<Node | null, Node | null>[];
}

function unknownKey(key: string): string {
  const near = nearest(key, optionKeys);
  return `unknown key${near === undefined ? '' : `; did you mean ${near}?`}`;
}
