import { describe, expect, test } from 'vitest';
import { amount, knownConfig, rawConfig, text, whole } from '../../src/formats/parts/config-fields.ts';

describe('fields of a configuration by their usual names', () => {
  test.each<[string, object, object]>([
    [
      'at the top',
      { num_epochs: 3, lr: '2e-5', batch_size: 8, seed: 7, model: 'm', dataset: 'd', max_steps: 5 },
      { epochs: 3, learningRate: 2e-5, batchSize: 8, seed: 7, model: 'm', dataset: 'd', maxSteps: 5 },
    ],
    [
      'in sections',
      { trainer: { max_epochs: 3 }, optim: { sgd: { lr: 0.5 } } },
      { epochs: 3, learningRate: 0.5 },
    ],
    [
      'the more precise name',
      { learning_rate: 0.5, lr: 0.25, epochs: 9, num_train_epochs: 3 },
      { learningRate: 0.5, epochs: 3 },
    ],
    ['the nearest to the top', { lr: 0.5, old: { lr: 0.25 } }, { learningRate: 0.5 }],
    ['none where two places disagree', { a: { seed: 1 }, b: { seed: 2 } }, {}],
    ['one where they agree', { a: { seed: 1 }, b: { seed: 1 } }, { seed: 1 }],
    ['not below three levels', { a: { b: { c: { seed: 1 } } } }, {}],
    [
      'not what means "no limit"',
      { max_steps: -1, num_train_epochs: '9223372036854775807', seed: null, model: 'None' },
      {},
    ],
    [
      'not what is of another kind',
      { lr: [0.1], epochs: true, batch_size: 'auto', seed: 1.5, model: { name: 'm' } },
      {},
    ],
    ['not what every object has', { a: { constructor: 1 }, lr: 0.5 }, { learningRate: 0.5 }],
  ])('%s', (_, document, expected) => {
    expect(knownConfig(JSON.parse(JSON.stringify(document)))).toEqual(expected);
  });
});

test('the whole document is kept while it is of a bearable size, without traps', () => {
  expect(rawConfig(JSON.parse('{"a": 1, "b": {"__proto__": {"c": 2}, "d": [3]}}'))).toEqual({
    raw: { a: 1, b: { d: [3] } },
  });
  expect(rawConfig({})).toEqual({});
  expect(rawConfig({ a: 'x'.repeat(65_530) })).toEqual({
    warning: 'the configuration of 65538 bytes is left out, more than 65536',
  });
});

test.each([
  [' 5', undefined, undefined],
  ['5', 5, 5],
  ['5.', 5, 5],
  ['.5', 0.5, undefined],
  ['-1', undefined, -1],
  ['1e3', 1000, 1000],
  ['1e999', undefined, undefined],
  ['0x10', undefined, undefined],
  [`${'9'.repeat(5000)}`, undefined, undefined],
  [true, undefined, undefined],
])('%j as a number', (value, asAmount, asWhole) => {
  expect([amount(value), whole(value, -5)]).toEqual([asAmount, asWhole]);
});

test('a text is cut, and nothing that means nothing', () => {
  expect([text('None'), text(''), text(5), text('x'.repeat(5000))?.length]).toEqual([
    undefined,
    undefined,
    undefined,
    4096,
  ]);
});
