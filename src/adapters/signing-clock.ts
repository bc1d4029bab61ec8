/**
 * The time to sign requests with. Servers refuse a request whose time is 15 minutes off, so a host without NTP could
 * ship nothing; but every answer says what time it is there.
 *
 * - The host's own clock is used while it is at most `skewMsMax` off: a `Date` has whole seconds and half a round trip.
 * - A single answer proves little (a cache, a proxy with a clock of its own): an offset is believed when
 *   `agreeingAnswers` in a row give it, or when the server refused a request for its time.
 * - A refusal that gives the very time that we had signed with shows that this `Date` is not of the clock that judges:
 *   the correction is dropped and `Date` not believed for a while.
 * - When the host's clock is set, what was measured against it means nothing any more.
 */
export interface SigningClock {
  signingDate(): Date;
  /** The `Date` of any answer. */
  observe(date: string | undefined): void;
  /**
   * The server refused a request for its time. `serverTime` is what the error's body gives (`<ServerTime>`), of the
   * clock that judges; `date` the answer's header.
   */
  refused(date: string | undefined, serverTime?: string): void;
  /** What is added to the host's clock, in milliseconds; 0 while that is right. */
  offsetMs(): number;
}

export interface SigningClockOptions {
  /** The host's clock, in milliseconds. */
  readonly now: () => number;
  /** Milliseconds from anywhere that nobody can set. */
  readonly monotonic: () => number;
  /** Called once for each change; 0: the host's clock is right (again). */
  readonly onSkew: (offsetMs: number) => void;
}

/** Above it the host's clock is corrected, below half of it no longer. */
const skewMsMax = 30_000;
/** Two measurements that differ by less are the same. */
const agreeMs = 10_000;
const agreeingAnswers = 3;
/** The host's clock was set when it went further than this from the monotonic one. */
const stepMs = 5_000;
const distrustMs = 3_600_000;
const earliestMs = Date.UTC(2015, 0, 1);
const latestMs = Date.UTC(2100, 0, 1);

export function createSigningClock(options: SigningClockOptions): SigningClock {
  return new MeasuredClock(options);
}

class MeasuredClock implements SigningClock {
  readonly #options: SigningClockOptions;
  #offsetMs = 0;
  #reportedMs = 0;
  /** What answers in a row said that differs from the offset in use. */
  #rival = { offsetMs: 0, answers: 0 };
  /** Host's clock minus monotonic clock at the last look. */
  #baseMs: number;
  #distrustedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: SigningClockOptions) {
    this.#options = options;
    this.#baseMs = options.now() - options.monotonic();
  }

  signingDate(): Date {
    this.#noticeStep();
    return new Date(this.#options.now() + this.#offsetMs);
  }

  offsetMs(): number {
    this.#noticeStep();
    return this.#offsetMs;
  }

  observe(date: string | undefined): void {
    this.#noticeStep();
    const measuredMs = this.#measure(date);
    if (measuredMs === undefined || this.#isDistrusted()) return;
    if (Math.abs(measuredMs - this.#offsetMs) <= (this.#offsetMs === 0 ? skewMsMax : agreeMs)) {
      this.#rival.answers = 0;
      return;
    }
    const agrees = this.#rival.answers > 0 && Math.abs(measuredMs - this.#rival.offsetMs) <= agreeMs;
    this.#rival = { offsetMs: measuredMs, answers: agrees ? this.#rival.answers + 1 : 1 };
    if (this.#rival.answers >= agreeingAnswers) this.#use(measuredMs);
  }

  refused(date: string | undefined, serverTime?: string): void {
    this.#noticeStep();
    const measuredMs = this.#measure(serverTime) ?? this.#judge(this.#measure(date));
    if (measuredMs !== undefined) this.#use(measuredMs);
  }

  /** What to make of the `Date` of a refusal: the offset to use from now on. */
  #judge(measuredMs: number | undefined): number | undefined {
    if (measuredMs === undefined) return undefined;
    // While `Date` is distrusted the host's own time was tried: now that was refused as well.
    const isWhatWeSigned = !this.#isDistrusted() && Math.abs(measuredMs - this.#offsetMs) <= agreeMs;
    this.#distrustedUntilMs = isWhatWeSigned
      ? this.#options.monotonic() + distrustMs
      : Number.NEGATIVE_INFINITY;
    return isWhatWeSigned ? 0 : measuredMs;
  }

  /** How far the server's clock is ahead of the host's; undefined for what is no believable time. */
  #measure(text: string | undefined): number | undefined {
    const serverMs = text === undefined || text.length > 40 ? Number.NaN : Date.parse(text);
    if (!(serverMs >= earliestMs && serverMs < latestMs)) return undefined;
    return serverMs - this.#options.now();
  }

  #use(measuredMs: number): void {
    const bound = this.#offsetMs === 0 ? skewMsMax : skewMsMax / 2;
    this.#offsetMs = Math.abs(measuredMs) <= bound ? 0 : Math.round(measuredMs / 1000) * 1000;
    this.#rival.answers = 0;
    this.#report();
  }

  #isDistrusted(): boolean {
    return this.#options.monotonic() < this.#distrustedUntilMs;
  }

  #noticeStep(): void {
    const baseMs = this.#options.now() - this.#options.monotonic();
    const movedMs = Math.abs(baseMs - this.#baseMs);
    // Always the latest, so that a clock that is slewed for days is no step.
    this.#baseMs = baseMs;
    if (movedMs <= stepMs) return;
    this.#distrustedUntilMs = Number.NEGATIVE_INFINITY;
    this.#use(0);
  }

  #report(): void {
    const isSame = Math.abs(this.#offsetMs - this.#reportedMs) < skewMsMax;
    if (isSame && (this.#offsetMs === 0) === (this.#reportedMs === 0)) return;
    this.#reportedMs = this.#offsetMs;
    this.#options.onSkew(this.#offsetMs);
  }
}
