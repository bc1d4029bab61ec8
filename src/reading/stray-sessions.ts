import { type LogPlace, type Month, monthOf } from '../domain/log-month.ts';
import type { RecordedSession } from '../ports/recorded-objects.ts';
import type { OwnRecords } from './own-records.ts';
import type { Reading } from './reading.ts';
import type { KnownSession } from './verify-session.ts';

/** Behind every key that begins with a prefix. */
export const lastKey = '\u{10ffff}';

/**
 * Sessions that the journal recorded at keys of an older template: no list by today's leads to them, so each is looked
 * for at its own key. `places`: all of today's template; `month`: of no other month.
 */
export async function* straySessions(
  { reader }: Reading,
  records: OwnRecords,
  places: readonly LogPlace[],
  month: Month | undefined,
  signal: AbortSignal,
): AsyncGenerator<KnownSession & { readonly recorded: RecordedSession }> {
  for (const [after, to] of gapsBetween(places.map(({ prefix }) => prefix))) {
    for (const recorded of await records.recordedSessions(after, to)) {
      const { id, key, startedAtMs } = recorded;
      if (month !== undefined && monthOf(startedAtMs) !== month) continue;
      let found: KnownSession['found'];
      for await (const page of reader.pages(key, { isFlat: true, limit: 1 }, signal)) {
        const [object] = page;
        if (object?.key === key) found = { object, id };
      }
      yield { found, recorded };
    }
  }
}

/** Ranges of keys, without the first and with the last, in which no key begins with one of these. */
function gapsBetween(prefixes: readonly string[]): readonly (readonly [after: string, to: string])[] {
  const inOrder = [...new Set(prefixes)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const starts = ['', ...inOrder.map((prefix) => `${prefix}${lastKey}`)];
  const ends = [...inOrder, lastKey];
  return starts.flatMap((start, at) => {
    const end = ends[at] ?? lastKey;
    return start < end ? [[start, end] as const] : [];
  });
}
