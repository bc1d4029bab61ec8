import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock } from '../ports/clock.ts';
import type { Events } from '../ports/events.ts';
import type { Service } from '../ports/service.ts';
import { type Answer, contentTypes, plain } from './answer.ts';
import type { HttpRequest } from './router.ts';

export interface HttpServerOptions {
  readonly listen: { readonly address: string; readonly port: number };
  readonly pages: string;
  readonly clock: Clock;
  readonly events: Events;
  readonly answer: (request: HttpRequest) => Promise<Answer>;
  /** What ends the agent wherever it is met: a journal that cannot be read any more. */
  readonly endsAll: (error: unknown) => boolean;
  readonly limits?: Partial<typeof usualLimits>;
}

/** A scraper and a few people, not the world; and nobody takes up a place by doing nothing. */
const usualLimits = {
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  keepAliveTimeoutMs: 5_000,
  idleMs: 15_000,
  connectionsMax: 64,
  requestsPerConnectionMax: 1_000,
  headerBytesMax: 8 * 1024,
  lookEveryMs: 1_000,
};
const tryAgainMs = 60_000;

const everyAnswer = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
};

/** Serves for as long as the agent runs. An address that cannot be had is told, and tried again now and then. */
export class HttpServer implements Service {
  readonly name = 'HTTP server';
  readonly #options: HttpServerOptions;
  readonly #stop = new AbortController();
  readonly #told = new Set<string>();
  #failed: { error: unknown } | undefined;
  #url: string | undefined;

  constructor(options: HttpServerOptions) {
    this.#options = options;
  }

  /** Where it serves; undefined while it does not. */
  get url(): string | undefined {
    return this.#url;
  }

  async run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const lost = await this.#serve(signal);
      if (lost === undefined) break;
      this.#tell(lost);
      await clock.sleep(tryAgainMs, signal);
    }
    if (this.#failed) throw this.#failed.error;
  }

  /** Resolves with the error that ended it, or with nothing once it was stopped. */
  #serve(signal: AbortSignal): Promise<NodeJS.ErrnoException | undefined> {
    const server = this.#create();
    return new Promise((resolve) => {
      const stop = () => end();
      const end = (error?: NodeJS.ErrnoException) => {
        signal.removeEventListener('abort', stop);
        this.#url = undefined;
        server.close();
        server.closeAllConnections();
        resolve(error);
      };
      signal.addEventListener('abort', stop, { once: true });
      server.on('error', end);
      server.on('listening', () => this.#announce(server.address()));
      server.listen({ host: this.#options.listen.address, port: this.#options.listen.port });
    });
  }

  #create(): Server {
    const limits = { ...usualLimits, ...this.#options.limits };
    const server = createServer({
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: limits.lookEveryMs,
      maxHeaderSize: limits.headerBytesMax,
    });
    boundConnections(server, limits.connectionsMax);
    server.maxRequestsPerSocket = limits.requestsPerConnectionMax;
    // Who does not read is let go, however little it was that could not be sent.
    server.setTimeout(limits.idleMs, (socket: Socket) => socket.destroy());
    server.on('request', (request, response) => void this.#handle(request, response));
    server.on('clientError', (_, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      else socket.destroy();
    });
    return server;
  }

  #announce(address: AddressInfo | string | null): void {
    if (address === null || typeof address === 'string') return;
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    this.#url = `http://${host}:${address.port}/`;
    this.#told.clear();
    this.#options.events.emit('http.listening', { url: this.#url, pages: this.#options.pages });
  }

  /** Once for each way of failing: it may go on for days. */
  #tell(error: NodeJS.ErrnoException): void {
    const { listen, events } = this.#options;
    const code = error.code ?? 'unknown';
    if (this.#told.has(code)) return;
    this.#told.add(code);
    const address = `${listen.address.includes(':') ? `[${listen.address}]` : listen.address}:${listen.port}`;
    events.emit('http.unavailable', { address, code, remedy: remedyFor(code), retryInMs: tryAgainMs });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { localAddress, remoteAddress } = request.socket;
    const { method = '', url: target = '', headers } = request;
    try {
      send(
        response,
        await this.#options.answer({ method, target, localAddress, remoteAddress, host: headers.host }),
      );
    } catch (error) {
      if (this.#options.endsAll(error)) {
        this.#failed ??= { error };
        response.destroy();
        this.#stop.abort();
        return;
      }
      const cause = error instanceof Error ? error.message : String(error);
      this.#options.events.emit('http.failed', { target: target.slice(0, 200), cause });
      send(response, plain(500, 'This could not be shown; the log says why.'));
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
  }
}

/** Whoever has been here longest makes way: slow clients, however many, keep no scraper out. */
function boundConnections(server: Server, max: number): void {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    const [oldest] = open;
    if (open.size > max) oldest?.destroy();
  });
}

function send(response: ServerResponse, { status, type, body, headers, isLasting }: Answer): void {
  if (response.destroyed || response.headersSent) return;
  const content = Buffer.from(body);
  response.writeHead(status, {
    ...everyAnswer,
    'Content-Type': contentTypes[type],
    'Content-Length': content.length,
    'Cache-Control': isLasting ? 'public, max-age=31536000, immutable' : 'no-store',
    ...headers,
    // What else such a one sends is not waited for.
    ...(status === 405 && { Connection: 'close' }),
  });
  response.end(content);
}

function remedyFor(code: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'another program has the port, or another trainlogd; set http.listen to a free one, or to off';
    case 'EADDRNOTAVAIL':
      return 'this host does not have the address; correct http.listen';
    case 'EMFILE':
    case 'ENFILE':
      return 'the limit of open files is reached; raise it (LimitNOFILE, ulimit -n)';
    case 'EACCES':
      return 'this user may not take the port; set http.listen to one above 1023';
    default:
      return 'correct http.listen, or set it to off';
  }
}
