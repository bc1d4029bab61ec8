import { type Agent, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline as pipe, Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { corruptAnswer, rawAnswer, shiftDate } from './answer-bytes.ts';
import type { CannedAnswer, Fault, Moment } from './fault.ts';
import type { S3Request } from './operation.ts';
import { bodyStep, ConnectionTaken, Meter } from './request-body.ts';
import type { LiveRule } from './rules.ts';

export interface ExchangeOptions {
  readonly request: S3Request;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly live: LiveRule | undefined;
  readonly upstream: URL;
  readonly agent: Agent;
}

/**
 * One request and its answer. What no rule asks for passes byte by byte as it came, its Host header included, because
 * that is what the client signed.
 */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #fault: Fault | undefined;
  readonly #meter = new Meter();
  /** Kept: a message that was destroyed does not name it any more. */
  readonly #socket: Socket;
  /** What the client was given; 0: nothing. */
  status = 0;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#fault = options.live?.rule.fault;
    this.#socket = options.incoming.socket;
  }

  get requestBytes(): number {
    return this.#meter.bytes;
  }

  /** Whatever fails ends the client's connection. */
  async run(): Promise<void> {
    try {
      await this.#exchange();
    } catch {
      // reason: a connection that broke is what this is for; both sides see it, and the counts say so
      this.#socket.destroy();
    }
  }

  async #exchange(): Promise<void> {
    const fault = this.#fault;
    await this.#reach('before');
    if (fault?.do === 'delay') await delay(fault.ms);
    if (fault?.do === 'answer' && !fault.applied) {
      await pipeline(this.#options.incoming, this.#meter, sink());
      return this.#say(fault.answer);
    }
    const answer = await this.#forward(fault?.do === 'late' ? await this.#holdBack(fault.ms) : undefined);
    if (fault && needsWhole(fault)) await this.#afterAnswer(fault, answer);
    else await this.#relay(answer);
    await this.#reach('answered');
  }

  async #reach(moment: Moment): Promise<void> {
    const { live, request } = this.#options;
    const fault = this.#fault;
    if (!fault || !('at' in fault) || fault.at !== moment) return;
    if (fault.do === 'stall') {
      await live?.lifted;
      // Who gave up closed the connection, and what was not passed on never will be.
      if (!this.#socket.destroyed) return;
      throw new ConnectionTaken();
    }
    if (fault.do === 'call') await fault.call(request);
    if (moment === 'answered') return;
    this.#reset();
  }

  #reset(): never {
    this.#socket.resetAndDestroy();
    throw new ConnectionTaken();
  }

  async #holdBack(ms: number): Promise<Readable> {
    const whole = Buffer.concat(await this.#options.incoming.toArray());
    await delay(ms);
    return Readable.from([whole]);
  }

  #forward(body: Readable = this.#options.incoming): Promise<IncomingMessage> {
    const { incoming, upstream, agent } = this.#options;
    const { hostname, port } = upstream;
    return new Promise((resolve, reject) => {
      const onward = httpRequest({
        ...{ hostname, port, agent },
        method: incoming.method ?? '',
        path: incoming.url ?? '',
        headers: incoming.rawHeaders,
      });
      // Without a body there is nothing to frame, and a header that the client did not send must not come up.
      if (!hasBody(incoming)) onward.useChunkedEncodingByDefault = false;
      onward.once('response', resolve);
      const step = bodyStep(this.#fault, () => this.#reach('body'));
      const streams = [body, this.#meter, ...(step ? [step] : []), onward];
      pipe(streams, (error) => {
        if (error) reject(error);
      });
      onward.on('error', reject);
    });
  }

  async #afterAnswer(fault: Fault, answer: IncomingMessage): Promise<void> {
    const { outgoing } = this.#options;
    const body = Buffer.concat(await answer.toArray());
    await this.#reach('applied');
    switch (fault.do) {
      case 'drop':
        this.#socket.end();
        throw new ConnectionTaken();
      case 'truncate': {
        const whole = rawAnswer(answer, body);
        this.#socket.end(whole.subarray(0, Math.floor(whole.length * fault.keep)));
        throw new ConnectionTaken();
      }
      case 'answer':
        return this.#say(fault.answer);
      default: {
        const sent = fault.do === 'corrupt' ? corruptAnswer(answer.rawHeaders, body) : undefined;
        this.#head(answer, sent?.headers ?? answer.rawHeaders);
        await ended(outgoing, sent?.body ?? body);
      }
    }
  }

  async #relay(answer: IncomingMessage): Promise<void> {
    const fault = this.#fault;
    const { rawHeaders } = answer;
    this.#head(answer, fault?.do === 'shiftDate' ? shiftDate(rawHeaders, fault.byMs) : rawHeaders);
    await pipeline(answer, this.#options.outgoing);
  }

  #head({ statusCode = 502, statusMessage }: IncomingMessage, headers: readonly string[]): void {
    const { outgoing } = this.#options;
    outgoing.sendDate = false;
    outgoing.writeHead(statusCode, statusMessage ?? '', [...headers]);
    this.status = statusCode;
  }

  async #say({ status, headers, body }: CannedAnswer): Promise<void> {
    const { outgoing } = this.#options;
    outgoing.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
    this.status = status;
    await ended(outgoing, Buffer.from(body));
  }
}

function needsWhole(fault: Fault): boolean {
  if ('at' in fault) return fault.at === 'applied';
  return fault.do === 'drop' || fault.do === 'truncate' || fault.do === 'answer' || isAnswerCorruption(fault);
}

function isAnswerCorruption(fault: Fault): boolean {
  return fault.do === 'corrupt' && fault.what === 'answer';
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

function ended(outgoing: ServerResponse, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    outgoing.once('error', reject).once('close', resolve);
    outgoing.end(body, () => resolve());
  });
}

function sink(): Transform {
  return new Transform({ transform: (_chunk, _encoding, done) => done() }).resume();
}
