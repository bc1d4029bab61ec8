import { Failure } from '../domain/failure.ts';
import { accessRows } from './s3-access-rows.ts';
import { readError, withoutDetails } from './s3-error.ts';
import { remedyOf } from './s3-refusal.ts';
import { type FailureRow, requestRows } from './s3-request-rows.ts';

/** All that is known of what S3 servers, proxies, the SDK and the network answer. First the codes, then the HTTP status. */
export const failureRows: readonly FailureRow[] = [...accessRows, ...requestRows];

const rowOf = new Map<string, FailureRow>();
const rowOfPrefix: (readonly [string, FailureRow])[] = [];
for (const row of failureRows) {
  for (const code of row.codes) {
    if (code.endsWith('*')) rowOfPrefix.push([code.slice(0, -1), row]);
    else rowOf.set(code, row);
  }
}

function findRow(code: string): FailureRow | undefined {
  return rowOf.get(code) ?? rowOfPrefix.find(([prefix]) => code.startsWith(prefix))?.[1];
}

/**
 * An error of the SDK or the network as one of the four kinds. Unknown ones are transient: retrying loses nothing.
 * `doing` is the attempt with its object quoted: `writing "a/b" to s3://bucket`.
 */
export function toFailure(error: unknown, doing: string, signal: AbortSignal): Failure {
  if (error instanceof Failure && (signal.aborted || error.kind !== 'cancelled')) return error;
  if (signal.aborted)
    return new Failure({ kind: 'cancelled', code: 'AbortError', attempted: `${doing}: cancelled` });
  const { codes, status, message, retryAfterMs } = readError(error);
  const known = codes.find((code) => findRow(code) !== undefined);
  const row = known === undefined ? undefined : findRow(known);
  // A code that is not in the table is still the one to search for; the status only gave the kind.
  const code = (known?.startsWith('HTTP ') ? undefined : known) ?? codes[0] ?? 'Unknown';
  const remedy = remedyOf(error, code, message) ?? row?.remedy;
  const answered = status === undefined || code === `HTTP ${status}` ? '' : ` (HTTP ${status})`;
  return new Failure({
    kind: row?.kind ?? 'transient',
    code,
    attempted: `${doing}: ${code}${answered}${message === '' || message === code ? '' : `, ${message}`}`,
    ...(remedy === undefined ? {} : { remedy }),
    ...(row?.throttled === undefined ? {} : { throttled: row.throttled }),
    ...(row?.denied === undefined ? {} : { denied: row.denied }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    cause: withoutDetails(error),
  });
}
