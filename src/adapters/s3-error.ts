/** True for what a server answers when a condition (If-Match, If-None-Match) does not hold. */
export function isPreconditionFailed(error: unknown): boolean {
  return readError(error).codes.some((code) => code === 'PreconditionFailed' || code === 'HTTP 412');
}

/** True when there is nothing at the key, or when the policy hides whether there is. */
export function isMissingOrHidden(error: unknown): boolean {
  const { status } = readError(error);
  return status === 403 || isMissing(error);
}

export function isMissing(error: unknown): boolean {
  const { codes, status } = readError(error);
  return status === 404 && !codes.includes('NoSuchBucket') && !codes.includes('NoSuchUpload');
}

export interface ErrorFacts {
  /** Most telling first. */
  readonly codes: readonly string[];
  readonly status: number | undefined;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
}

const nameless = new Set(['', 'Error', 'Unknown', 'UnknownError', 'AggregateError']);

export function readError(error: unknown): ErrorFacts {
  const status = numberAt(error, '$metadata', 'httpStatusCode');
  const name = textAt(error, 'name');
  // What the handler calls TimeoutError may be a reset: its errno comes first and says which. A connection that
  // never came about is the network, not the server.
  const names = [
    textAt(error, 'code'),
    name,
    textAt(error, 'Code'),
    status === undefined ? '' : `HTTP ${status}`,
  ];
  if (/did not establish a connection/.test(textAt(error, 'message'))) names.unshift('ConnectTimeout');
  return {
    // Our own signal was asked before: what else aborts a request is its deadline.
    codes: names
      .filter((code) => !nameless.has(code))
      .map((code) => (code === 'AbortError' ? 'TimeoutError' : code)),
    status,
    message: oneLine(textAt(error, 'message')),
    retryAfterMs: parseRetryAfter(textAt(error, '$response', 'headers', 'retry-after')),
  };
}

/** Seconds only: the date form would need a clock, and no S3 server is known to send it. */
function parseRetryAfter(value: string): number | undefined {
  return /^\d{1,6}$/.test(value) ? Number(value) * 1000 : undefined;
}

function oneLine(message: string): string {
  const text = message.replace(/^UnknownError$/, '').split('\n')[0] ?? '';
  return text.replace(/[\s.]+$/, '').slice(0, 200);
}

/** The SDK's errors carry the server's whole answer, which repeats session tokens; what is logged must not. */
export function withoutDetails(error: unknown): Error {
  const clean = new Error(oneLine(textAt(error, 'message')));
  clean.name = textAt(error, 'name') || 'Error';
  const stack = textAt(error, 'stack');
  if (stack !== '') clean.stack = stack;
  return clean;
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (object, name) => (typeof object === 'object' && object !== null ? Reflect.get(object, name) : undefined),
    value,
  );
}

function textAt(value: unknown, ...path: string[]): string {
  const found = at(value, path);
  return typeof found === 'string' ? found : '';
}

function numberAt(value: unknown, ...path: string[]): number | undefined {
  const found = at(value, path);
  return typeof found === 'number' ? found : undefined;
}
