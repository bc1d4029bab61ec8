import { createHash, type Hash } from 'node:crypto';
import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SessionStatus } from '../../src/domain/session-log.ts';
import { seededBytes } from '../support/seeded-bytes.ts';
import type { SeededRandom } from '../support/seeded-random.ts';

/**
 *   small      files of a few KiB, whole, in pieces, or renamed into place
 *   rewritten  small, and after its end a file gets other bytes: a second revision
 *   large      a file of several parts that is there at once
 *   growing    a file that becomes larger than several parts while the session runs
 *   regrown    large, and after its end the file grows
 */
export const sessionKinds = ['small', 'rewritten', 'large', 'growing', 'regrown'] as const;
export type SessionKind = (typeof sessionKinds)[number];

const mebibyte = 1024 * 1024;
const partBytes = 5 * mebibyte;
const ends = ['completed', 'failed', 'cancelled', '_SUCCESS', '_FAILED'] as const;

/** What one file was and is: what the bucket may hold of it, and what it must hold at last. */
export interface TrainedFile {
  readonly path: string;
  /** Contents that were replaced by others; a file that only grows has none. */
  readonly replaced: readonly Buffer[];
  sizeBytes: number;
  sha256(): string;
}

type Step = () => Promise<void>;

/** One session: what is left for its trainer to do, and what must come of it. */
export class Training {
  readonly path: string;
  readonly kind: SessionKind;
  readonly status: SessionStatus;
  readonly companions = new Map<string, TrainingFile>();
  readonly native = new Map<string, string>();
  readonly #directory: string;
  readonly #steps: Step[] = [];
  /** What its trainer does next is better done some lives later: when it is shipped, or part of it is. */
  isResting = false;

  /** `extraBytesMax`: what large files may have beyond what makes them large. */
  constructor(
    random: SeededRandom,
    folder: string,
    number: number,
    kind: SessionKind,
    extraBytesMax = 2 * mebibyte,
  ) {
    this.path = `${kind}-${String(number).padStart(4, '0')}`;
    this.kind = kind;
    this.#directory = join(folder, this.path);
    const end = ends[random.below(ends.length)] ?? 'completed';
    this.status = end === '_SUCCESS' ? 'completed' : end === '_FAILED' ? 'failed' : end;
    this.#plan(random, end, extraBytesMax);
  }

  get isOver(): boolean {
    return this.#steps.length === 0;
  }

  get bytes(): number {
    return [...this.companions.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  async step(): Promise<void> {
    this.isResting = false;
    await this.#steps.shift()?.();
  }

  #plan(random: SeededRandom, end: (typeof ends)[number], extraBytesMax: number): void {
    const log = this.#file('stdout.log');
    const line = () => seededBytes(`${this.path}${random.hex(8)}`, 20 + random.below(3000));
    const large = this.#isLarge ? this.#file('events.bin') : undefined;
    const steps = this.#steps;
    // With it a session is known from its first moment on, without it at its end.
    if (this.kind === 'growing' || random.below(2) === 0) {
      // An id that somebody else might ask for too has to be won in the bucket.
      const id = random.below(4) === 0 ? { id: `${this.path}-${random.hex(8)}` } : {};
      steps.push(() => this.#native('session.json', { ...id, ...sessionJson }));
    }
    steps.push(() => log.append(line()));
    if (this.kind === 'growing') {
      const pieces = 6;
      const extraBytes = Math.floor(extraBytesMax / pieces);
      for (let left = pieces; left > 0; left--) {
        // Open for some lives more when its first part is whole.
        if (left === 1) steps.push(this.#rest);
        steps.push(async () => large?.append(this.#piece(large, mebibyte + random.below(extraBytes))));
      }
    } else if (large) {
      const bytes = partBytes + 1 + random.below(extraBytesMax);
      steps.push(() => large.append(this.#piece(large, bytes)));
    }
    steps.push(() => log.append(line()));
    if (random.below(3) > 0) {
      const metrics = this.#file('logs/metrics.jsonl');
      steps.push(() => metrics.moveIn(line()));
    }
    steps.push(() => this.#end(end));
    if (this.kind === 'rewritten') steps.push(this.#rest, () => log.replace(line()));
    if (this.kind === 'regrown') {
      const bytes = mebibyte + random.below(extraBytesMax / 2);
      steps.push(this.#rest, async () => large?.append(this.#piece(large, bytes)));
    }
  }

  readonly #rest = async () => {
    this.isResting = true;
  };

  get #isLarge(): boolean {
    return this.kind === 'large' || this.kind === 'growing' || this.kind === 'regrown';
  }

  #file(path: string): TrainingFile {
    const file = new TrainingFile(this.#directory, path);
    this.companions.set(path, file);
    return file;
  }

  #piece(file: TrainingFile, length: number): Buffer {
    return seededBytes(this.path, length, file.sizeBytes);
  }

  async #end(end: (typeof ends)[number]): Promise<void> {
    if (end === '_SUCCESS' || end === '_FAILED') {
      await new TrainingFile(this.#directory, end).append(Buffer.alloc(0));
      // An empty file, and one of the session all the same.
      this.#file(end);
      return;
    }
    await this.#native('result.json', { status: end, metrics: { loss: 0.25 }, durationSeconds: 12 });
  }

  async #native(name: string, value: unknown): Promise<void> {
    const text = JSON.stringify(value);
    this.native.set(name, text);
    await new TrainingFile(this.#directory, name).moveIn(Buffer.from(text));
  }
}

const sessionJson = { version: '1', user: { username: 'ada' }, config: { epochs: 3 } };

class TrainingFile implements TrainedFile {
  readonly path: string;
  readonly replaced: Buffer[] = [];
  readonly #file: string;
  #hash: Hash = createHash('sha256');
  #current: Buffer = Buffer.alloc(0);
  sizeBytes = 0;

  constructor(directory: string, path: string) {
    this.path = path;
    this.#file = join(directory, path);
  }

  sha256(): string {
    return this.#hash.copy().digest('hex');
  }

  async append(bytes: Buffer): Promise<void> {
    this.#count(bytes);
    await mkdir(dirname(this.#file), { recursive: true });
    await appendFile(this.#file, bytes);
  }

  /** In place: whoever reads meanwhile sees a beginning of the new bytes. */
  async replace(bytes: Buffer): Promise<void> {
    this.#forget();
    this.#count(bytes);
    await writeFile(this.#file, bytes);
  }

  async moveIn(bytes: Buffer): Promise<void> {
    this.#forget();
    this.#count(bytes);
    await mkdir(dirname(this.#file), { recursive: true });
    await writeFile(`${this.#file}.part`, bytes);
    await rename(`${this.#file}.part`, this.#file);
  }

  #forget(): void {
    if (this.sizeBytes > 0) this.replaced.push(this.#current);
    this.#hash = createHash('sha256');
    this.#current = Buffer.alloc(0);
    this.sizeBytes = 0;
  }

  #count(bytes: Buffer): void {
    this.#hash.update(bytes);
    this.sizeBytes += bytes.length;
    // Only small files are replaced; large ones need not be kept.
    if (this.sizeBytes < mebibyte) this.#current = Buffer.concat([this.#current, bytes]);
  }
}
