import { logKeyReader, logKeysOf } from '../domain/log-month.ts';
import { inOrder } from './in-order.ts';
import type { LogObject } from './log-object.ts';
import { monthsFor, type Reading } from './reading.ts';

const asksAtOnce = 8;

/**
 * The log of a session whose month is not known: one list request for each month that it may have begun in, that which
 * a generated id names first, then the newest. A few hundred requests at the very most.
 */
export async function findLog(
  reading: Reading,
  id: string,
  signal: AbortSignal,
): Promise<LogObject | undefined> {
  const keys = logKeysOf(reading.keyTemplate, monthsFor(reading, undefined), id);
  const read = logKeyReader(reading.keyTemplate);
  const look = async (key: string, until: AbortSignal): Promise<LogObject | undefined> => {
    // A key is the first of all that begin with it.
    for await (const page of reading.reader.pages(key, { limit: 1 }, until)) {
      const object = page.find((listed) => listed.key === key);
      const found = read(key);
      if (object && found) return { object, ...found };
    }
    return undefined;
  };
  const [first, ...others] = keys;
  const likely = first === undefined ? undefined : await look(first, signal);
  if (likely) return likely;
  for await (const found of inOrder(others, asksAtOnce, look, signal)) if (found) return found;
  return undefined;
}
