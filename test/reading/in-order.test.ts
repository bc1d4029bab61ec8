import { expect, test } from 'vitest';
import { ByteBudget } from '../../src/reading/byte-budget.ts';
import { inOrder } from '../../src/reading/in-order.ts';
import { eventually } from '../support/eventually.ts';

const never = new AbortController().signal;

/** Works that end when the test says so. */
function gates() {
  const open = new Map<number, () => void>();
  const pass = (item: number) => new Promise<number>((resolve) => open.set(item, () => resolve(item)));
  return { open, pass };
}

test('results come in the order of their items, however they end, and no more run than may', async () => {
  const { open, pass } = gates();
  const results: number[] = [];
  const all = (async () => {
    for await (const result of inOrder([1, 2, 3, 4, 5], 3, pass, never)) results.push(result);
  })();
  await eventually(() => open.size === 3);
  open.get(3)?.();
  open.get(2)?.();
  expect([...open.keys()]).toEqual([1, 2, 3]);
  open.get(1)?.();
  await eventually(() => open.size === 5);
  open.get(5)?.();
  open.get(4)?.();
  await all;
  expect(results).toEqual([1, 2, 3, 4, 5]);
});

test('whoever stops asking ends what is under way, and a failure comes at its turn', async () => {
  const ended: number[] = [];
  const work = (item: number, signal: AbortSignal) =>
    item === 0
      ? Promise.resolve(0)
      : new Promise<number>((_, reject) =>
          signal.addEventListener('abort', () => {
            ended.push(item);
            reject(new Error('stopped'));
          }),
        );
  for await (const result of inOrder([0, 1, 2], 3, work, never)) {
    expect(result).toBe(0);
    break;
  }
  expect(ended).toEqual([1, 2]);
  const failing = async (item: number) => {
    if (item === 2) throw new Error('two');
    return item;
  };
  const seen: number[] = [];
  const run = async () => {
    for await (const result of inOrder([1, 2, 3], 3, failing, never)) seen.push(result);
  };
  await expect(run()).rejects.toThrow('two');
  expect(seen).toEqual([1]);
});

test('a budget of bytes is never exceeded, keeps its order, and gives all of it to what is larger', async () => {
  const budget = new ByteBudget(10);
  const { open, pass } = gates();
  const ends = [6, 4, 3, 99, 1].map((bytes, at) => budget.within(bytes, () => pass(at)));
  await eventually(() => open.size === 2);
  open.get(1)?.();
  await eventually(() => open.size === 3);
  open.get(0)?.();
  open.get(2)?.();
  await eventually(() => open.size === 4);
  expect(open.has(4)).toBe(false);
  open.get(3)?.();
  await eventually(() => open.size === 5);
  open.get(4)?.();
  expect(await Promise.all(ends)).toEqual([0, 1, 2, 3, 4]);
});
