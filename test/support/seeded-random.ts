/** Random numbers that a seed repeats. */
export interface SeededRandom {
  readonly seed: number;
  /** In [0, 1). */
  next(): number;
  /** A whole number in [0, bound). */
  below(bound: number): number;
  bytes(length: number): Buffer;
  hex(length: number): string;
  shuffled<T>(items: readonly T[]): T[];
}

/** `TRAINLOGD_TEST_SEED` repeats a run that failed; what depends on timing repeats only roughly. */
export function seedOf(env: Readonly<Record<string, string | undefined>>): number {
  const named = Number(env['TRAINLOGD_TEST_SEED']);
  return Number.isInteger(named) && named > 0 ? named : Math.floor(Math.random() * 2 ** 31) + 1;
}

/** Mulberry32. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound: number) => Math.floor(next() * bound);
  const bytes = (length: number) => Buffer.from(Array.from({ length }, () => below(256)));
  return {
    seed,
    next,
    below,
    bytes,
    hex: (length) =>
      bytes(Math.ceil(length / 2))
        .toString('hex')
        .slice(0, length),
    shuffled: (items) => {
      const mixed = items.map((item) => ({ item, order: next() }));
      return mixed.sort((a, b) => a.order - b.order).map(({ item }) => item);
    },
  };
}
