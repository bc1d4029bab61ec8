import type { S3Request } from './operation.ts';

/**
 * Where in an exchange something happens.
 *
 *   before     nothing of the request was passed on
 *   body       so many bytes of its body were
 *   applied    the server did it and answered, and the client has no byte of that
 *   answered   the client has the whole answer
 */
export type Moment = 'before' | 'body' | 'applied' | 'answered';

export type Fault =
  /** The connection is reset. */
  | { readonly do: 'reset'; readonly at: Exclude<Moment, 'answered'>; readonly afterBytes?: number }
  /** The connection is closed in order, without an answer to what was done. */
  | { readonly do: 'drop' }
  /** No byte moves for as long as the rule is in force. */
  | { readonly do: 'stall'; readonly at: Exclude<Moment, 'answered'>; readonly afterBytes?: number }
  /** So much of the answer, its head included, and then the end; in [0, 1]. */
  | { readonly do: 'truncate'; readonly keep: number }
  | { readonly do: 'delay'; readonly ms: number }
  /** The whole request is taken, and passed on only then, whether or not somebody still waits for its answer. */
  | { readonly do: 'late'; readonly ms: number }
  /** Another answer than the server's, in its place (`applied`) or without asking it. */
  | { readonly do: 'answer'; readonly answer: CannedAnswer; readonly applied: boolean }
  /** One byte becomes another: in the middle of the body, or of the answer's ETag where it has no body. */
  | { readonly do: 'corrupt'; readonly what: 'request' | 'answer' }
  /** Of the request's body. */
  | { readonly do: 'limit'; readonly bytesPerSecond: number }
  /** The server's clock, as its answers tell it. */
  | { readonly do: 'shiftDate'; readonly byMs: number }
  /** Something is done at that moment, and the connection is reset. */
  | {
      readonly do: 'call';
      readonly at: Moment;
      readonly afterBytes?: number;
      readonly call: (request: S3Request) => Promise<void>;
    };

export interface CannedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export function errorAnswer(status: number, code: string, message = 'told by a test'): CannedAnswer {
  return {
    status,
    headers: { 'Content-Type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message><RequestId>fault</RequestId></Error>`,
  };
}

export const internalError = errorAnswer(500, 'InternalError', 'We encountered an internal error');
/** What S3 does when a long CompleteMultipartUpload fails after it began to answer. */
export const errorInSuccess: CannedAnswer = { ...internalError, status: 200 };
export const expiredToken = errorAnswer(403, 'ExpiredToken', 'The provided token has expired.');
export const accessDenied = errorAnswer(403, 'AccessDenied', 'Access Denied');
export const clockSkewed = errorAnswer(403, 'RequestTimeTooSkewed', 'The difference is too large.');
export const noSuchUpload = errorAnswer(404, 'NoSuchUpload', 'The specified upload does not exist.');
/** A proxy that knows nothing of S3. */
export const garbage: CannedAnswer = {
  status: 200,
  headers: { 'Content-Type': 'text/html' },
  body: '<html><body><h1>It works!</h1><p>Please log in to use this network',
};
export const badGateway: CannedAnswer = {
  status: 502,
  headers: { 'Content-Type': 'text/html' },
  body: '<html><head><title>502 Bad Gateway</title></head></html>',
};

export function slowDown(retryAfterSeconds?: number): CannedAnswer {
  const { headers, ...rest } = errorAnswer(503, 'SlowDown', 'Please reduce your request rate.');
  const after = retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) };
  return { ...rest, headers: { ...headers, ...after } };
}
