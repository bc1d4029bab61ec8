import { expect, test } from 'vitest';
import { isAws } from '../../src/adapters/s3-client.ts';
import { EndpointLayout } from '../../src/adapters/s3-layout.ts';

const mebibyte = 1024 ** 2;

function open(endpoint: string | undefined, memory: Map<string, string>, bucket = 'b'): EndpointLayout {
  return new EndpointLayout({
    destination: { bucket, endpoint },
    partSizeBytes: 8 * mebibyte,
    objectBytesMax: 100 * 1024 * mebibyte,
    isAws: isAws(endpoint),
    recall: (name) => memory.get(name),
    remember: (name, value) => void memory.set(name, value),
  });
}

const grow = { firstBytes: 8 * mebibyte, doublesEvery: 900 };
const alike = { firstBytes: 11 * mebibyte, doublesEvery: 0 };
const some = 'https://s3.example.com';

test.each([
  ['https://abc.r2.cloudflarestorage.com', alike],
  [some, grow],
  [undefined, grow],
])('parts of %s are cut as is known of it', (endpoint, layout) => {
  expect(open(endpoint, new Map()).current).toEqual(layout);
});

test('once refused, parts are alike, in later lives too, at this endpoint and bucket alone', () => {
  const memory = new Map<string, string>();
  const layout = open(some, memory);
  layout.refused();
  expect(layout.current).toEqual(alike);
  layout.refused();
  expect(open(some, memory).current).toEqual(alike);
  expect(open(some, memory, 'other').current).toEqual(grow);
  expect(open('https://s3.example.org', memory).current).toEqual(grow);
});

test('AWS takes parts of any size: a refusal says something else', () => {
  const memory = new Map<string, string>();
  const layout = open(undefined, memory);
  layout.refused();
  expect([layout.current, memory.size]).toEqual([grow, 0]);
});

test('what is remembered in another way changes nothing', () => {
  const memory = new Map([[`parts of endpoint ${some} bucket b`, '{"firstBytes":1}']]);
  expect(open(some, memory).current).toEqual(grow);
});

test('parts that S3 would refuse are refused at once', () => {
  const options = { destination: { bucket: 'b', endpoint: some }, partSizeBytes: 1024, isAws: false };
  const nothing = { recall: () => undefined, remember: () => {} };
  expect(() => new EndpointLayout({ ...options, ...nothing })).toThrow('partSizeBytes is 1024');
});
