import { isJsonObject, type JsonObject } from '../../domain/json.ts';
import { type Follower, UnreadableFile } from '../reader.ts';
import { rawBytesMax } from './config-fields.ts';
import { parseLenientJson } from './lenient-json.ts';
import { LineSplitter } from './line-splitter.ts';

/**
 * debug.log of axolotl (src/axolotl/utils/tee.py): all that it prints, begun anew with each start and continued where a
 * training is resumed. Its loggers are named for its modules.
 */
export class AxolotlLog implements Follower {
  readonly #lines = new LineSplitter((line) => this.#take(line));
  #isAxolotl = false;
  #isFinished = false;
  #wasFinished = false;
  /** Lines of a configuration that is still being written. */
  #document: string[] | undefined;
  #documentLength = 0;
  #config: JsonObject | undefined;

  push(bytes: Buffer): void {
    this.#lines.push(bytes);
  }

  get isAxolotl(): boolean {
    return this.#isAxolotl;
  }
  /** Has the training been said to be complete, and none begun after that? */
  get isFinished(): boolean {
    return this.#isAxolotl && this.#isFinished;
  }
  /** Was one begun after another was complete? */
  get isBegunAgain(): boolean {
    return this.#isAxolotl && this.#wasFinished && !this.#isFinished;
  }
  get config(): JsonObject | undefined {
    return this.#config;
  }

  #take(line: string): void {
    if (this.#document) this.#continueDocument(line);
    if (!line.includes('[axolotl.')) {
      // What a training prints while it goes on.
      if (/^\s{0,8}\{'(?:loss|eval_loss)':/.test(line)) this.#isFinished = false;
      return;
    }
    this.#isAxolotl = true;
    if (line.includes('Training completed! Saving trained model to ')) this.#isFinished = true;
    this.#wasFinished ||= this.#isFinished;
    if (/Starting trainer\.\.\./.test(line)) this.#isFinished = false;
    if (/ config:\s{0,8}$/.test(line)) this.#document = [];
  }

  #continueDocument(line: string): void {
    const document = this.#document ?? [];
    document.push(line);
    this.#documentLength += line.length;
    const isFirst = document.length === 1;
    if ((isFirst && line.trim() !== '{') || this.#documentLength > rawBytesMax) this.#endDocument();
    else if (line === '}') this.#endDocument(document.join('\n'));
  }

  #endDocument(text?: string): void {
    this.#document = undefined;
    this.#documentLength = 0;
    if (text !== undefined) this.#config = tryJson(text) ?? this.#config;
  }
}

function tryJson(text: string): JsonObject | undefined {
  try {
    const { value } = parseLenientJson(Buffer.from(text));
    return isJsonObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof UnreadableFile) return undefined;
    throw error;
  }
}
