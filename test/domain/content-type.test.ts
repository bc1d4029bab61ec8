import { expect, test } from 'vitest';
import { contentTypeOf } from '../../src/domain/content-type.ts';

test.each([
  ['stdout.log', 'text/plain'],
  ['a/b/METRICS.JSONL', 'application/x-ndjson'],
  ['result.json', 'application/json'],
  ['a.tar.gz', 'application/octet-stream'],
  ['events.out.tfevents.1700000000.node-1', 'application/octet-stream'],
  ['stdout', 'application/octet-stream'],
  ['json', 'application/octet-stream'],
  ['a.json/b', 'application/octet-stream'],
  ['a.constructor', 'application/octet-stream'],
  ['a.toString', 'application/octet-stream'],
  ['', 'application/octet-stream'],
])('%j is %s', (path, type) => {
  expect(contentTypeOf(path)).toBe(type);
});
