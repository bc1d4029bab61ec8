import type { S3Operation, S3Request } from './operation.ts';

export interface OperationCount {
  readonly requests: number;
  /** Bytes of bodies that came from the client. */
  readonly requestBytes: number;
  /** How often the client was given each status; 0 for no answer at all. */
  readonly answers: Readonly<Record<number, number>>;
}

/** All requests that sent one part. */
export interface SentOften {
  readonly requests: number;
  /** Those that were answered with success. */
  readonly accepted: number;
  readonly totalBytes: number;
  readonly largestBytes: number;
}

type Counting = { requests: number; requestBytes: number; answers: Record<number, number> };

/** Counts what passes the proxy. */
export class Traffic {
  readonly #operations = new Map<S3Operation, Counting>();
  readonly #parts = new Map<string, SentOften>();
  readonly #puts = new Map<string, number>();
  #partsInFlight = 0;

  /** Call what it returns once, when the exchange is over. */
  begin(request: S3Request): (requestBytes: number, status: number) => void {
    const counting = this.#of(request.operation);
    const isPart = request.operation === 'UploadPart';
    counting.requests += 1;
    if (isPart) this.#partsInFlight += 1;
    if (request.operation === 'PutObject') this.#puts.set(request.key, this.putsOf(request.key) + 1);
    return (requestBytes, status) => {
      counting.requestBytes += requestBytes;
      counting.answers[status] = (counting.answers[status] ?? 0) + 1;
      if (!isPart) return;
      this.#partsInFlight -= 1;
      this.#addPart(`${request.key}#${request.partNumber}`, requestBytes, status);
    };
  }

  /** How often somebody began to put this key. */
  putsOf(key: string): number {
    return this.#puts.get(key) ?? 0;
  }

  get partsInFlight(): number {
    return this.#partsInFlight;
  }

  operations(): Readonly<Partial<Record<S3Operation, OperationCount>>> {
    return Object.fromEntries([...this.#operations].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Bytes of parts beyond those that an undisturbed upload would have sent, whichever upload they belonged to. */
  resentPartBytes(key?: RegExp): number {
    const sent = [...this.#parts].filter(([part]) => key === undefined || key.test(part));
    return sent.reduce((sum, [, { totalBytes, largestBytes }]) => sum + totalBytes - largestBytes, 0);
  }

  /** By its number, how often a part of this object was sent. */
  parts(key: RegExp): Map<number, SentOften> {
    const of = [...this.#parts].filter(([part]) => key.test(part.slice(0, part.lastIndexOf('#'))));
    return new Map(of.map(([part, sent]) => [Number(part.split('#').at(-1)), sent]));
  }

  #addPart(part: string, bytes: number, status: number): void {
    const sent = this.#parts.get(part) ?? { requests: 0, accepted: 0, totalBytes: 0, largestBytes: 0 };
    this.#parts.set(part, {
      requests: sent.requests + 1,
      accepted: sent.accepted + (status === 200 ? 1 : 0),
      totalBytes: sent.totalBytes + bytes,
      largestBytes: Math.max(sent.largestBytes, bytes),
    });
  }

  #of(operation: S3Operation): Counting {
    const found = this.#operations.get(operation) ?? { requests: 0, requestBytes: 0, answers: {} };
    this.#operations.set(operation, found);
    return found;
  }
}
