/** Freezes a value of plain objects and arrays all the way down, and gives it back. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  // Own names and not entries: the credentials are not enumerable.
  for (const key of Object.getOwnPropertyNames(value)) deepFreeze(Reflect.get(value, key));
  return Object.freeze(value);
}
