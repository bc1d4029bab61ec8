/** True for what a server answers when a condition (If-Match, If-None-Match) does not hold. */
export function isPreconditionFailed(error: unknown): boolean {
  return readError(error).codes.some((code) => code === 'PreconditionFailed' || code === 'HTTP 412');
}

/** True when the object is there and has to be restored before it can be read. */
export function isArchived(error: unknown): boolean {
  return readError(error).codes.includes('InvalidObjectState');
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
  if (isPage(error, status)) names.unshift('UnreadableAnswer');
  if (/did not establish a connection/.test(textAt(error, 'message'))) names.unshift('ConnectTimeout');
  return {
    // Our own signal was asked before: what else aborts a request is its deadline.
    codes: names
      .filter((code) => !nameless.has(code))
      .map((code) => (code === 'AbortError' ? 'TimeoutError' : code)),
    status,
    message: oneLine(textAt(error, 'message')),
    retryAfterMs: readRetryAfter(error),
  };
}

/** Refusals that a server of S3 gives a reason for. Load balancers have pages for others, and those pass. */
const reasoned: ReadonlySet<number | undefined> = new Set([400, 403, 404, 405, 410]);
const unnamed = new Set([...nameless, 'NotFound']);

/** A page for people, where S3 answers in XML: of a proxy, a login, a console, another server. */
function isPage(error: unknown, status: number | undefined): boolean {
  const isHtml = /^text\/html\b/i.test(textAt(error, '$response', 'headers', 'content-type'));
  return isHtml && reasoned.has(status) && unnamed.has(textAt(error, 'name'));
}

const retryAfterMsMax = 3_600_000;

/** Seconds, or a date: held against the answer's own `Date`, so that no clock of ours can be wrong. */
function readRetryAfter(error: unknown): number | undefined {
  const value = textAt(error, '$response', 'headers', 'retry-after');
  const ms = /^\d{1,6}$/.test(value)
    ? Number(value) * 1000
    : Date.parse(value) - Date.parse(textAt(error, '$response', 'headers', 'date'));
  return ms >= 0 ? Math.min(ms, retryAfterMsMax) : undefined;
}

function oneLine(message: string): string {
  const text = message.replace(/^UnknownError$/, '').split('\n')[0] ?? '';
  return withoutSecrets(text.slice(0, 2000))
    .replace(/[\s.]+$/, '')
    .slice(0, 200);
}

/** Some servers repeat what they were sent. Of a key id its beginning stays: it says which kind it is. */
function withoutSecrets(text: string): string {
  return text
    .replace(/\b(A[A-Z]{3})[A-Z0-9]{12,}\b/g, '$1…')
    .replace(
      /((?:signature|security-token|credential|token|secret)"?\s*[=:]\s*"?)[^\s&,"'<>]{8,}/gi,
      '$1[redacted]',
    )
    .replace(/[A-Za-z0-9+/_=-]{60,}/g, '[redacted]');
}

/** The SDK's errors carry the server's whole answer, which repeats session tokens; what is logged must not. */
export function withoutDetails(error: unknown): Error {
  const clean = new Error(oneLine(textAt(error, 'message')));
  clean.name = textAt(error, 'name') || 'Error';
  // Its first lines repeat the message.
  const frames = textAt(error, 'stack').match(/\n {4}at [\s\S]*$/)?.[0];
  if (frames !== undefined) clean.stack = `${clean.name}: ${clean.message}${frames}`;
  return clean;
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (object, name) => (typeof object === 'object' && object !== null ? Reflect.get(object, name) : undefined),
    value,
  );
}

/** The text at a path of properties; '' when there is none. */
export function textAt(value: unknown, ...path: string[]): string {
  const found = at(value, path);
  return typeof found === 'string' ? found : '';
}

function numberAt(value: unknown, ...path: string[]): number | undefined {
  const found = at(value, path);
  return typeof found === 'number' ? found : undefined;
}
