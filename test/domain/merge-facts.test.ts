import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Facts } from '../../src/domain/facts.ts';
import { mergeFacts } from '../../src/domain/merge-facts.ts';

const from = (source: string, facts: Facts, provenance = {}) => ({ source, facts, provenance });

test('each field comes from the first source that knows it', () => {
  const merged = mergeFacts([
    from('native', { id: 'a', pod: { gpuType: 'A40' }, user: {} }, { 'pod.gpuType': 'session.json' }),
    from('state', { id: 'b', startedAt: 't', pod: { gpuType: 'B', gpuCount: 2 }, config: { epochs: 3 } }),
    from('defaults', { pod: { gpuCount: 1, currency: undefined, costPerHour: 0 }, results: { error: 'e' } }),
  ]);
  expect(merged).toEqual({
    facts: {
      id: 'a',
      startedAt: 't',
      user: {},
      pod: { gpuType: 'A40', gpuCount: 2, costPerHour: 0 },
      config: { epochs: 3 },
      results: { error: 'e' },
    },
    provenance: {
      'session.id': 'native',
      'session.startedAt': 'state',
      'pod.gpuType': 'session.json',
      'pod.gpuCount': 'state',
      'pod.costPerHour': 'defaults',
      'config.epochs': 'state',
      'results.error': 'defaults',
    },
  });
});

test('free maps are united key by key, each value whole, and later keys name their own source', () => {
  const merged = mergeFacts([
    from('a', { config: { raw: { lr: 1, deep: { x: 1 }, none: null } } }, { 'config.raw': 'a.json' }),
    from(
      'b',
      { config: { raw: { lr: 2, deep: { y: 2 }, none: 3, more: 4 } }, results: { metrics: { loss: 1 } } },
      { 'config.raw': 'b.yaml' },
    ),
    from('c', { results: { metrics: { loss: 2, acc: 3 } } }),
  ]);
  expect(merged.facts).toEqual({
    config: { raw: { lr: 1, deep: { x: 1 }, none: null, more: 4 } },
    results: { metrics: { loss: 1, acc: 3 } },
  });
  expect(merged.provenance).toEqual({
    'config.raw': 'a.json',
    'config.raw.more': 'b.yaml',
    'results.metrics': 'b',
    'results.metrics.acc': 'c',
  });
});

test('lists are taken whole', () => {
  const merged = mergeFacts([
    from('a', { results: { checkpointsSaved: [{ path: 'a' }] } }),
    from('b', { results: { checkpointsSaved: [{ path: 'b' }, { path: 'c' }] } }),
  ]);
  expect(merged.facts.results?.checkpointsSaved).toEqual([{ path: 'a' }]);
});

test('sources are left as they were, and one source alone is itself', () => {
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const facts = fc.record(
    {
      id: fc.string(),
      pod: fc.record({ gpuType: maybe(fc.string()), gpuCount: maybe(fc.nat()) }, { requiredKeys: [] }),
      config: fc.record(
        { epochs: fc.nat(), raw: fc.dictionary(fc.string(), fc.nat()) },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(facts, facts, (one, other) => {
      const before = structuredClone([one, other]);
      mergeFacts([from('one', one), from('other', other)]);
      expect([one, other]).toEqual(before);
      expect(mergeFacts([from('one', one), from('again', one)]).facts).toEqual(
        mergeFacts([from('one', one)]).facts,
      );
      expect(mergeFacts([from('one', one)]).facts).toEqual(one);
    }),
  );
});
