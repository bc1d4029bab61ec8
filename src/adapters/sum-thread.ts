import { Worker } from 'node:worker_threads';
import { formatCrc32 } from '../domain/crc32-combine.ts';
import { Failure } from '../domain/failure.ts';
import { type BodySums, SumBuilder, type WantedSums } from './body-sums.ts';

/** The sums of one body, made while its bytes come, in order. */
export interface Summing {
  update(piece: Buffer): void;
  /** Every piece so far was summed: its memory may be used anew. */
  caughtUp(): Promise<void>;
  finish(): Promise<BodySums>;
  /** No more is wanted of it. */
  drop(): void;
}

/** A smaller body is summed before a thread could be told of it. */
const threadedBytesMin = 1024 * 1024;

/**
 * What runs in the thread, as text: it is part of any bundle, and needs no file beside it. Messages come in order.
 * `open` is what `begin` makes, an answer has the number of its question.
 */
const program = `
const { parentPort } = require('node:worker_threads');
const { createHash } = require('node:crypto');
const { crc32 } = require('node:zlib');
const open = new Map();
parentPort.on('message', ({ id, begin, memory, offset, length, question, finish, drop }) => {
  if (begin) open.set(id, { crc: 0, md5: begin.md5 && createHash('md5'), sha256: begin.sha256 && createHash('sha256') });
  const sums = open.get(id);
  if (memory) {
    const piece = Buffer.from(memory, offset, length);
    sums.crc = crc32(piece, sums.crc);
    if (sums.md5) sums.md5.update(piece);
    if (sums.sha256) sums.sha256.update(piece);
  }
  if (finish || drop) open.delete(id);
  if (question === undefined) return;
  const made = finish && {
    crc: sums.crc,
    md5: sums.md5 ? sums.md5.digest() : undefined,
    sha256: sums.sha256 ? sums.sha256.digest() : undefined,
  };
  parentPort.postMessage({ question, made });
});
`;

interface Answer {
  readonly question: number;
  readonly made?: { readonly crc: number; readonly md5?: Uint8Array; readonly sha256?: Uint8Array };
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/**
 * Sums large bodies beside the event loop, which has the network to serve. It starts when the first one comes; should it
 * be lost, what waits for it fails as passing, and later bodies are summed in place.
 */
export class SumThread {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #isLost = false;
  #last = 0;

  begin(sizeBytes: number, wanted: WantedSums): Summing {
    const worker = sizeBytes < threadedBytesMin ? undefined : this.#running();
    return worker ? this.#threaded(worker, wanted) : inPlace(wanted);
  }

  async close(): Promise<void> {
    this.#isLost = true;
    await this.#worker?.terminate();
  }

  #running(): Worker | undefined {
    if (this.#isLost) return undefined;
    if (this.#worker) return this.#worker;
    const resourceLimits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 };
    const worker = new Worker(program, { eval: true, resourceLimits, execArgv: [], env: {} });
    worker.on('message', (answer: Answer) => {
      const waiting = this.#waiting.get(answer.question);
      this.#waiting.delete(answer.question);
      if (this.#waiting.size === 0) worker.unref();
      waiting?.resolve(answer);
    });
    const lose = () => this.#lose();
    worker.on('error', lose);
    worker.on('exit', lose);
    // It keeps the process only while somebody waits for it; a listener for messages would at all times.
    worker.unref();
    this.#worker = worker;
    return worker;
  }

  #lose(): void {
    this.#isLost = true;
    for (const { reject } of this.#waiting.values()) reject(threadLost());
    this.#waiting.clear();
  }

  #threaded(worker: Worker, wanted: WantedSums): Summing {
    const id = ++this.#last;
    worker.postMessage({ id, begin: wanted });
    return {
      update: (piece) => {
        // Only what lies in shared memory is seen by both; a copy of the rest goes over.
        const shared = piece.buffer instanceof SharedArrayBuffer ? piece : new Uint8Array(piece);
        const { buffer: memory, byteOffset: offset, length } = shared;
        worker.postMessage({ id, memory, offset, length });
      },
      caughtUp: async () => void (await this.#ask(worker, { id })),
      finish: async () => {
        const { made } = await this.#ask(worker, { id, finish: true });
        if (!made) throw threadLost();
        return sumsOf(made);
      },
      drop: () => worker.postMessage({ id, drop: true }),
    };
  }

  #ask(worker: Worker, message: object): Promise<Answer> {
    if (this.#isLost) return Promise.reject(threadLost());
    const question = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(question, { resolve, reject });
      worker.ref();
      worker.postMessage({ ...message, question });
    });
  }
}

function sumsOf({ crc, md5, sha256 }: NonNullable<Answer['made']>): BodySums {
  return { crc32: formatCrc32(crc), md5: md5 && Buffer.from(md5), sha256: sha256 && Buffer.from(sha256) };
}

function inPlace(wanted: WantedSums): Summing {
  const sums = new SumBuilder(wanted);
  return {
    update: (piece) => sums.update(piece),
    caughtUp: async () => {},
    finish: async () => sums.finish(),
    drop: () => {},
  };
}

function threadLost(): Failure {
  const attempted = 'summing the bytes of a body in a thread: it ended';
  return new Failure({ kind: 'transient', code: 'SumThreadLost', attempted });
}
