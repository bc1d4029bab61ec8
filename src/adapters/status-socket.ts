import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import type { AgentRequest, Answering } from '../ports/agent-requests.ts';
import type { Service } from '../ports/service.ts';
import { socketPath } from './socket-path.ts';

export const socketName = 'status.sock';
const requestBytesMax = 1024 * 1024;
const idsMax = 10_000;
const silenceMaxMs = 5000;
/** Some answers are worked out first. */
const workMaxMs = 60_000;

const requestSchema = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('status') }),
  z.object({ ask: z.literal('report') }),
  z.object({
    ask: z.literal('retry'),
    sessions: z.union([z.literal('all'), z.array(z.string().max(4096)).max(idsMax)]),
  }),
  z.object({ ask: z.literal('recordedMonths') }),
  z.object({ ask: z.literal('recordedSessions'), after: z.string().max(4096), to: z.string().max(4096) }),
]);

/**
 * Answers each connection with one JSON document and closes it: what the line of JSON asks for that it sent, the status
 * where it sent none and ended. Whoever holds the state directory owns the socket, and nobody else may connect.
 */
export class StatusSocket implements Service {
  readonly name = 'status socket';
  readonly #directory: string;
  readonly #path: string;
  readonly #answering: Answering;
  readonly #onProblem: (problem: string) => void;
  readonly #connections = new Set<Socket>();
  #server: Server | undefined;
  #ended: (() => void) | undefined;
  #failed: { error: unknown } | undefined;

  constructor(options: {
    stateDirectory: string;
    answering: Answering;
    onProblem: (problem: string) => void;
  }) {
    this.#directory = options.stateDirectory;
    this.#path = join(options.stateDirectory, socketName);
    this.#answering = options.answering;
    this.#onProblem = options.onProblem;
  }

  async run(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
    this.#listen();
    await ended;
    if (this.#failed) throw this.#failed.error;
  }

  #listen(): void {
    const server = createServer({ allowHalfOpen: true }, (connection) => {
      this.#connections.add(connection);
      connection.on('close', () => this.#connections.delete(connection));
      connection.on('error', () => connection.destroy());
      connection.setTimeout(silenceMaxMs, () => connection.destroy());
      this.#hear(connection);
    });
    server.maxConnections = 16;
    server.on('error', (error) => this.#onProblem(`status cannot be asked: ${error.message}`));
    server.on('listening', () => this.#shut());
    try {
      // The journal's lock is ours, so a socket that lies there is a dead process's.
      rmSync(this.#path, { force: true });
      const { path, letGo } = socketPath(this.#directory, socketName);
      server.on('close', letGo);
      server.listen(path);
    } catch (error) {
      this.#onProblem(`status cannot be asked: ${error instanceof Error ? error.message : String(error)}`);
      return;
    }
    server.unref();
    this.#server = server;
  }

  /** To all but this user. */
  #shut(): void {
    try {
      chmodSync(this.#path, 0o600);
    } catch (error) {
      this.#onProblem(`others may ask for status: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #hear(connection: Socket): void {
    let heard = '';
    let isOver = false;
    const answer = (line: string) => {
      if (isOver) return;
      isOver = true;
      connection.setTimeout(workMaxMs);
      void this.#answer(connection, line);
    };
    connection.setEncoding('utf8');
    connection.on('data', (chunk: string) => {
      if (isOver) return;
      heard += chunk;
      const end = heard.indexOf('\n');
      if (end >= 0) answer(heard.slice(0, end));
      else if (heard.length > requestBytesMax) connection.destroy();
    });
    connection.on('end', () => answer(heard));
  }

  /** A journal that cannot be read any more is met here like anywhere else: it ends the service, and with it all. */
  async #answer(connection: Socket, line: string): Promise<void> {
    try {
      const answer = await this.#worked(line);
      if (!connection.destroyed) connection.end(`${JSON.stringify(answer)}\n`);
    } catch (error) {
      connection.destroy();
      this.#failed = { error };
      this.#ended?.();
    }
  }

  async #worked(line: string): Promise<unknown> {
    const request = readRequest(line);
    if (request === undefined) return { error: 'the request is none that this trainlogd knows' };
    const { status, report, retry, recordedMonths, recordedSessions } = this.#answering;
    const refusal = { error: `this trainlogd cannot do that now: ${request.ask}` };
    switch (request.ask) {
      case 'status':
        return status ? await status(request) : refusal;
      case 'report':
        // What keeps a report from being made keeps nothing else from its work.
        return report ? await Promise.resolve(report(request)).catch(errorAnswer) : refusal;
      case 'retry':
        return retry ? await retry(request) : refusal;
      case 'recordedMonths':
        return recordedMonths ? await recordedMonths(request) : refusal;
      case 'recordedSessions':
        return recordedSessions ? await recordedSessions(request) : refusal;
      default:
        return request satisfies never;
    }
  }

  async stop(): Promise<void> {
    this.#server?.close();
    for (const connection of this.#connections) connection.destroy();
    this.#server = undefined;
    this.#ended?.();
  }
}

function errorAnswer(error: unknown): object {
  return { error: error instanceof Error ? error.message : String(error) };
}

function readRequest(line: string): AgentRequest | undefined {
  if (line.trim() === '') return { ask: 'status' };
  try {
    return requestSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined; // reason: it is answered with what is wrong with it
  }
}
