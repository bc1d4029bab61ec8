import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Service } from '../ports/service.ts';
import type { Status } from '../ports/status.ts';

const socketName = 'status.sock';
/** What the system allows a socket's path to be, with its final NUL. */
const pathBytesMax = 107;
const answerBytesMax = 16 * 1024 * 1024;
const answerTimeoutMs = 5000;

/** Answers each connection with one JSON document and closes it. Whoever holds the state directory owns the socket. */
export class StatusSocket implements Service {
  readonly name = 'status socket';
  readonly #path: string;
  readonly #status: () => Status;
  readonly #onProblem: (problem: string) => void;
  readonly #connections = new Set<Socket>();
  #server: Server | undefined;
  #ended: (() => void) | undefined;
  #failed: { error: unknown } | undefined;

  constructor(options: {
    stateDirectory: string;
    status: () => Status;
    onProblem: (problem: string) => void;
  }) {
    this.#path = join(options.stateDirectory, socketName);
    this.#status = options.status;
    this.#onProblem = options.onProblem;
  }

  async run(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
    if (Buffer.byteLength(this.#path) > pathBytesMax) {
      this.#onProblem(
        `status cannot be asked: the path ${JSON.stringify(this.#path)} is too long for a socket`,
      );
    } else {
      this.#listen();
    }
    await ended;
    if (this.#failed) throw this.#failed.error;
  }

  #listen(): void {
    const server = createServer((connection) => {
      this.#connections.add(connection);
      connection.on('close', () => this.#connections.delete(connection));
      connection.on('error', () => connection.destroy());
      connection.setTimeout(answerTimeoutMs, () => connection.destroy());
      this.#answer(connection);
    });
    server.maxConnections = 16;
    server.on('error', (error) => this.#onProblem(`status cannot be asked: ${error.message}`));
    server.on('listening', () => chmodSync(this.#path, 0o600));
    try {
      // The journal's lock is ours, so a socket that lies there is a dead process's.
      rmSync(this.#path, { force: true });
      server.listen(this.#path);
    } catch (error) {
      this.#onProblem(`status cannot be asked: ${error instanceof Error ? error.message : String(error)}`);
      return;
    }
    server.unref();
    this.#server = server;
  }

  /** A journal that cannot be read any more is met here like anywhere else: it ends the service, and with it all. */
  #answer(connection: Socket): void {
    try {
      connection.end(`${JSON.stringify(this.#status())}\n`);
    } catch (error) {
      connection.destroy();
      this.#failed = { error };
      this.#ended?.();
    }
  }

  async stop(): Promise<void> {
    this.#server?.close();
    for (const connection of this.#connections) connection.destroy();
    this.#server = undefined;
    this.#ended?.();
  }
}

/** Undefined when no daemon answers there. */
export function askStatus(stateDirectory: string): Promise<Status | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const connection = connect(join(stateDirectory, socketName));
    const give = (status: Status | undefined) => {
      connection.destroy();
      resolve(status);
    };
    connection.setTimeout(answerTimeoutMs, () => give(undefined));
    connection.on('error', () => give(undefined));
    connection.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > answerBytesMax) give(undefined);
    });
    connection.on('end', () => give(parse(Buffer.concat(chunks).toString('utf8'))));
  });
}

function parse(text: string): Status | undefined {
  try {
    return JSON.parse(text) as Status;
  } catch {
    return undefined; // reason: a daemon that died while answering did not answer
  }
}
