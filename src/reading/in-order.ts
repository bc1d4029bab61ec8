/**
 * The results of `work` in the order of `items`, so many at once under way, none of them held longer than until its turn.
 * Whoever stops asking ends what is under way: `signal` is aborted.
 */
export async function* inOrder<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  atOnce: number,
  work: (item: T, signal: AbortSignal) => Promise<R>,
  signal: AbortSignal,
): AsyncGenerator<R> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const running: Promise<R>[] = [];
  try {
    for await (const item of items) {
      running.push(begun(work(item, either)));
      const first = running.length < atOnce ? undefined : running.shift();
      if (first) yield await first;
    }
    for (let next = running.shift(); next; next = running.shift()) yield await next;
  } finally {
    stop.abort();
    await Promise.allSettled(running);
  }
}

/** One that fails before its turn is no unheard rejection: its turn comes, or nobody wants it any more. */
function begun<R>(running: Promise<R>): Promise<R> {
  running.catch(() => undefined);
  return running;
}
