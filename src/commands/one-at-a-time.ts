/** Work that may be asked for while it goes on: what comes meanwhile, however often, is one more. */
export function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let asked = 0;
  return async () => {
    asked += 1;
    if (asked > 1) return;
    for (; asked > 0; asked = Math.min(asked - 1, 1)) await work();
  };
}
