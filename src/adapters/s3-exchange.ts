import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Write } from './s3-body.ts';

export interface Answer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ExchangeOptions {
  readonly sizeBytes: number;
  /** Writes the body, exactly as many bytes; when it throws, the request is given up and the error passed on. */
  readonly send: (write: Write) => Promise<void>;
  readonly connectTimeoutMs: number;
  /** How long nothing may move on the connection; how long all takes is not limited. */
  readonly idleTimeoutMs: number;
  /** How long the body waits for the server to ask for it; undefined: it is sent unasked. */
  readonly continueTimeoutMs?: number | undefined;
  /** The server was not heard in that time. */
  readonly onUnasked?: () => void;
}

/** Errors have some hundred bytes; what is longer is none of ours. */
const answerBytesMax = 64 * 1024;

/**
 * One request and its answer. Returns or throws only when nothing of it is under way any more: the body's memory may
 * be used again, the file closed. An answer before the body's end is an answer; the connection is then of no more use.
 */
export async function exchange(
  request: ClientRequest,
  options: ExchangeOptions,
  signal: AbortSignal,
): Promise<Answer> {
  const state: State = {
    isAnswered: false,
    closed: new Promise((resolve) => request.once('close', resolve)),
  };
  const stop = () => void request.destroy(named('AbortError', 'the request was stopped'));
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const answered = watch(request, state);
  const sending = watchSilence(request, options)
    .then(() => sendBody(request, state, options))
    // Told by `answered`, unless an answer came first: that one says why.
    .catch((error: Error) => void (state.isAnswered || request.destroy(error)));
  try {
    const answer = await readAnswer(await answered);
    if (request.writableFinished) await sending;
    else request.destroy();
    return answer;
  } catch (error) {
    request.destroy();
    const isStale = request.reusedSocket && !state.isAnswered && isReset(error);
    throw isStale ? new StaleConnection(error) : error;
  } finally {
    signal.removeEventListener('abort', stop);
    await sending;
    if (request.destroyed) await state.closed;
  }
}

interface State {
  isAnswered: boolean;
  readonly closed: Promise<void>;
}

/** A connection that was kept from an earlier request was closed by the server, or by something on the way. */
export class StaleConnection extends Error {
  readonly code = 'ECONNRESET';

  constructor(cause: unknown) {
    super('a connection that had been kept was closed', { cause });
  }
}

function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

function watch(request: ClientRequest, state: State): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', (response) => {
      state.isAnswered = true;
      resolve(response);
    });
    // Stays: what breaks after the answer has nobody to tell.
    request.on('error', reject);
    // An error costs a stack trace: none is made for what went well.
    request.once('close', () => {
      if (!state.isAnswered) reject(named('ECONNRESET', 'the connection was closed without an answer'));
    });
  });
}

/**
 * Cuts a connection on which nothing moves. Resolves when the body may be sent: at once, or when the server asked for
 * it, or did not for too long, as servers do that do not know how to.
 */
function watchSilence(request: ClientRequest, options: ExchangeOptions): Promise<void> {
  const { connectTimeoutMs, idleTimeoutMs, continueTimeoutMs, onUnasked } = options;
  return new Promise((resolve) => {
    let state: 'connecting' | 'asking' | 'sending' = 'connecting';
    const begin = (socket: Socket) => {
      state = 'sending';
      socket.setTimeout(idleTimeoutMs);
      resolve();
    };
    const connected = (socket: Socket) => {
      if (continueTimeoutMs === undefined) return begin(socket);
      state = 'asking';
      socket.setTimeout(continueTimeoutMs);
      request.once('continue', () => begin(socket));
      request.flushHeaders();
    };
    request.once('socket', (socket) => {
      // reason: an answer instead of `continue`, or a broken connection, ends the wait too
      request.once('close', resolve).once('response', resolve);
      request.on('timeout', () => {
        if (state === 'asking') {
          onUnasked?.();
          return begin(socket);
        }
        const what = state === 'connecting' ? 'the connection was not established' : 'nothing moved';
        const code = state === 'connecting' ? 'ConnectTimeout' : 'TimeoutError';
        request.destroy(named(code, `${what} for ${timeoutOf(socket)} ms`));
      });
      if (!socket.connecting) return connected(socket);
      socket.setTimeout(connectTimeoutMs);
      socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => connected(socket));
    });
  });
}

function timeoutOf({ timeout }: Socket): number {
  return timeout ?? 0;
}

async function sendBody(request: ClientRequest, state: State, { sizeBytes, send }: ExchangeOptions) {
  let leftBytes = sizeBytes;
  await send((bytes) => {
    if (request.destroyed || state.isAnswered) return Promise.reject(new Stopped());
    leftBytes -= bytes.length;
    const writing = new Promise<void>((resolve, reject) => {
      const written = (error?: Error | null) => (error ? reject(error) : resolve());
      // The last bytes are the end: after them, a server may answer at any time.
      if (leftBytes === 0) request.end(bytes, written);
      else request.write(bytes, written);
    });
    // Of a request that is destroyed before it has a connection, the callbacks are never called.
    return Promise.race([writing, state.closed]);
  });
  if (sizeBytes === 0 && !request.destroyed) request.end();
}

/** The request has ended, or was answered, under the body's feet; why is known elsewhere. */
class Stopped extends Error {}

function readAnswer(response: IncomingMessage): Promise<Answer> {
  const status = response.statusCode ?? 0;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) headers[name] = String(value);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const done = () => resolve({ status, headers, body: Buffer.concat(chunks).toString('utf8') });
    response.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes <= answerBytesMax) chunks.push(chunk);
    });
    response.once('end', done);
    // A server that refuses a body it does not read resets the connection: what it said before counts.
    response.once('error', (error) => (status < 400 ? reject(error) : done()));
  });
}

function named(code: string, message: string): Error {
  return Object.assign(new Error(message), code === 'AbortError' ? { name: code } : { code });
}
