import {
  exceptionEvidence,
  isNoise,
  joinsTracebacks,
  type LineEvidence,
  lineEvidence,
  looksLikeException,
  rootCause,
  tellsOfCaught,
  tracebackStart,
  withoutPrefix,
} from './failure-lines.ts';
import { Bars } from './progress-bars.ts';

export interface FailureEvidence extends LineEvidence {
  /** The lines that tell, a few. */
  readonly error: string;
}

const linesMax = 12;
const lineLengthMax = 400;
const bannerLinesMax = 10;

interface Block {
  readonly kind: 'traceback' | 'banner';
  /** A block that was caught, or that only follows another, is passed over. */
  readonly counts: boolean;
  lines: string[];
}

/**
 * Evidence of an end among the lines of a log. The first counts, for what follows is mostly its consequence. A traceback
 * is forgotten when the program has something else to say after it; what others wrote about its end, only when the
 * training goes on.
 */
export class FailureScan {
  #found: FailureEvidence | undefined;
  #block: Block | undefined;
  #isCaught = false;
  #isJoined = false;
  readonly #bars = new Bars();

  copy(): FailureScan {
    const copy = new FailureScan();
    copy.#found = this.#found;
    copy.#block = this.#block && { ...this.#block, lines: [...this.#block.lines] };
    copy.#isCaught = this.#isCaught;
    copy.#isJoined = this.#isJoined;
    copy.#bars.adopt(this.#bars);
    return copy;
  }

  get evidence(): FailureEvidence | undefined {
    const open = this.#block;
    if (open?.kind !== 'traceback' || !open.counts) return this.#found;
    // Cut off in the middle: how it would end is not known.
    return this.#better({ ...exceptionEvidence(''), error: open.lines.join('\n') });
  }

  /** Is the line part of a traceback? Then it is no progress, whatever it looks like. */
  isInside(line: string): boolean {
    if (this.#block?.kind !== 'traceback') return false;
    const text = withoutPrefix(line);
    return /^\s|^$/.test(text) || looksLikeException(text);
  }

  /** The training went on: whatever ended before was not its end. */
  progressed(): void {
    this.#found = undefined;
    this.#block = undefined;
    this.#isCaught = false;
    this.#isJoined = false;
  }

  take(line: string): void {
    const text = withoutPrefix(line);
    // It may follow a progress bar that no end of line has finished.
    if (text.trimEnd().endsWith(tracebackStart)) {
      if (this.#bars.take(text, this.#found !== undefined) === 'moved') this.progressed();
      this.#openTraceback();
    } else if (this.#block?.kind === 'traceback') this.#extendTraceback(text);
    else if (this.#block?.kind === 'banner') this.#extendBanner(text);
    else this.#takeOther(text);
  }

  #openTraceback(): void {
    if (this.#block?.kind === 'traceback') this.#closeTraceback();
    const counts =
      !this.#isCaught && (this.#found === undefined || this.#found.isConsequence || this.#isJoined);
    if (counts && this.#isJoined && !this.#found?.isCertain) this.#found = undefined;
    this.#block = { kind: 'traceback', counts, lines: [tracebackStart] };
    this.#isCaught = false;
    this.#isJoined = false;
  }

  #extendTraceback(text: string): void {
    if (text === '') return;
    this.#push(text);
    if (/^\s/.test(text)) return;
    this.#closeTraceback(text);
  }

  #closeTraceback(last = ''): void {
    const block = this.#block;
    this.#block = undefined;
    if (!block?.counts) return;
    this.#found = this.#better({ ...exceptionEvidence(last), error: block.lines.join('\n') });
  }

  #extendBanner(text: string): void {
    const lines = this.#block?.lines ?? [];
    if (/^={4,}/.test(text) || lines.length >= bannerLinesMax) {
      this.#block = undefined;
      return;
    }
    if (text !== '') this.#push(text);
    if (this.#found?.error.startsWith(rootCause)) this.#found = { ...this.#found, error: lines.join('\n') };
  }

  #push(text: string): void {
    const lines = this.#block?.lines;
    if (!lines) return;
    lines.push(text.slice(0, lineLengthMax).trimEnd());
    // The first line names what it is; the innermost ones tell.
    if (lines.length > linesMax) lines.splice(1, 1);
  }

  #takeOther(text: string): void {
    const bar = this.#bars.take(text, this.#found !== undefined);
    if (bar === 'moved') this.progressed();
    if (bar !== undefined) return;
    const evidence = lineEvidence(text);
    if (evidence) {
      const error = text.slice(0, lineLengthMax).trimEnd();
      this.#found = this.#better({ ...evidence, error });
      if (text.startsWith(rootCause)) this.#block = { kind: 'banner', counts: true, lines: [error] };
    } else if (tellsOfCaught(text)) this.#isCaught = true;
    else if (joinsTracebacks(text)) this.#isJoined = true;
    else if (this.#found && !this.#found.isCertain && !isNoise(text)) this.progressed();
  }

  #better(evidence: FailureEvidence): FailureEvidence {
    const found = this.#found;
    if (found === undefined || (found.isConsequence && !evidence.isConsequence)) {
      return { ...evidence, isCertain: evidence.isCertain || found?.isCertain === true };
    }
    return { ...found, isCertain: found.isCertain || evidence.isCertain };
  }
}
