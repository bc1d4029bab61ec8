import { Conflict } from '../domain/failure.ts';
import type { PutCondition } from '../ports/object-store.ts';
import type { EndpointFacts } from './s3-facts.ts';
import { type BucketClient, type FoundObject, findObject } from './s3-find.ts';

/** Whether PutObject itself keeps the condition. */
export function isHonoured(condition: PutCondition, facts: EndpointFacts): boolean {
  return 'absent' in condition ? facts.createsOnce : facts.replacesExactly;
}

/** Looks, and throws Conflict when the condition does not hold now. */
export async function assertCondition(
  at: BucketClient,
  key: string,
  condition: PutCondition,
  signal: AbortSignal,
): Promise<void> {
  assertHolds(key, condition, await findObject(at, key, signal));
}

export function assertHolds(key: string, condition: PutCondition, found: FoundObject | undefined): void {
  if ('absent' in condition) {
    if (found !== undefined) throw new Conflict(key, `another object is there, ETag "${found.object.etag}"`);
  } else if (found?.object.etag !== condition.etag) {
    const there = found === undefined ? 'nothing' : `"${found.object.etag}"`;
    throw new Conflict(key, `expected ETag "${condition.etag}", found ${there}`);
  }
}
