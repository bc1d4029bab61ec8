const yearTenThousandMs = Date.UTC(10_000, 0, 1);

/**
 * RFC 3339 in UTC of a file's time. Undefined for one that the format cannot write, before 1970 or after 9999: anybody
 * can set a file's times, and no session may fail for them.
 */
export function fileTime(ns: bigint): string | undefined {
  const ms = Number(ns / 1_000_000n);
  return ms >= 0 && ms < yearTenThousandMs ? new Date(ms).toISOString() : undefined;
}

/** The latest time that can be written. */
export function lastFileTime(times: Iterable<bigint>): string | undefined {
  let last: string | undefined;
  for (const ns of times) {
    const time = fileTime(ns);
    if (time !== undefined && (last === undefined || time > last)) last = time;
  }
  return last;
}
