import { contentTypeOfEncoding, type Encoding } from './compression.ts';

const byEnding: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  html: 'text/html',
  json: 'application/json',
  jsonl: 'application/x-ndjson',
  log: 'text/plain',
  md: 'text/markdown',
  png: 'image/png',
  jpg: 'image/jpeg',
  svg: 'image/svg+xml',
  txt: 'text/plain',
  yaml: 'application/yaml',
  yml: 'application/yaml',
};

/** Media type by a file's ending, or of what packs it; what is not known is bytes. */
export function contentTypeOf(path: string, encoding?: Encoding): string {
  if (encoding !== undefined) return contentTypeOfEncoding(encoding);
  const ending = /\.([A-Za-z0-9]{1,8})$/.exec(path)?.[1]?.toLowerCase() ?? '';
  return (Object.hasOwn(byEnding, ending) && byEnding[ending]) || 'application/octet-stream';
}
