/** What a test's process dies of. */
export class Killed extends Error {}

/** The process dies as it comes to `method` for the `nth` time, before or after it was done. */
export function dieAt<T extends object>(
  name: keyof T,
  moment: 'before' | 'after',
  nth = 1,
): (target: T) => T {
  let calls = 0;
  return (target) =>
    new Proxy(target, {
      get(of, property, receiver) {
        const method: unknown = Reflect.get(of, property, of);
        if (property !== name || typeof method !== 'function') {
          return typeof method === 'function' ? method.bind(of) : Reflect.get(of, property, receiver);
        }
        return (...args: unknown[]) => {
          calls += 1;
          if (calls !== nth) return method.apply(of, args);
          if (moment === 'after') method.apply(of, args);
          throw new Killed(`at ${String(name)}`);
        };
      },
    });
}
