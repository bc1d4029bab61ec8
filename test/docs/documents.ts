import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const project = join(import.meta.dirname, '..', '..');

export interface Document {
  /** Relative to the project. */
  readonly path: string;
  readonly text: string;
  /** Without what stands in fences and between backquotes. */
  readonly prose: string;
  /** What stands in fences, line by line, lines that go on joined; and between backquotes. */
  readonly code: readonly string[];
}

/** Every document for people that the project has. */
export function documents(): Document[] {
  const below = readdirSync(join(project, 'docs'), { recursive: true, encoding: 'utf8' });
  const paths = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];
  for (const path of below.toSorted()) if (path.endsWith('.md')) paths.push(`docs/${path}`);
  return paths.map(readDocument);
}

function readDocument(path: string): Document {
  const text = readFileSync(join(project, path), 'utf8');
  const fenced = [...text.matchAll(/^ *```[a-z]*\n(.*?)^ *```$/gms)].map(([, inside = '']) => inside);
  const plain = text.replace(/^ *```[a-z]*\n.*?^ *```$/gms, '');
  const lines = fenced.flatMap((block) => block.replace(/\\\n\s*/g, ' ').split('\n'));
  const spans = [...plain.matchAll(/`([^`]+)`/g)].map(([, inside = '']) => inside.replace(/\s+/g, ' '));
  return { path, text, prose: plain.replace(/`[^`]+`/g, ''), code: [...lines, ...spans] };
}

/** The names that links to headings of a document use, as GitHub makes them. */
export function anchorsOf(text: string): Set<string> {
  const headings = text.replace(/^ *```[a-z]*\n.*?^ *```$/gms, '').matchAll(/^#{1,6} (.+)$/gm);
  const anchors = new Set<string>();
  for (const [, heading = ''] of headings) {
    const name = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    let free = name;
    for (let at = 1; anchors.has(free); at += 1) free = `${name}-${at}`;
    anchors.add(free);
  }
  return anchors;
}
