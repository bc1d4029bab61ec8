import type { Clock } from '../ports/clock.ts';
import type { Events } from '../ports/events.ts';
import type { Report } from '../ports/report.ts';
import type { Schedule } from '../ports/schedule.ts';
import type { Service } from '../ports/service.ts';
import { ReportTelling } from './report-telling.ts';
import { within } from './within.ts';

export interface ReporterOptions {
  readonly clock: Clock;
  readonly events: Events;
  /** Undefined: only when it is asked for. */
  readonly schedule: Schedule | undefined;
  /** How much later than the schedule says: a fleet does not ask the bucket all at once. */
  readonly shiftMs: number;
  readonly make: (signal: AbortSignal) => Promise<Report>;
  /** Keeps it where others find it. */
  readonly keep: (report: Report) => Promise<void>;
}

/** All of it: a look at the destination with everything that may have to be looked at to name a cause. */
const makeMaxMs = 30_000;
const keepMaxMs = 5_000;
/** By then the folder was looked at, and a destination that refuses us has done so. */
const firstAfterMs = 1_000;

/**
 * Makes a report soon after the start, then on schedule, and whenever someone asks. One at a time: who asks while one is
 * made gets that one. Whatever goes wrong with a report is told once, and is no reason to end: it only watches.
 */
export class Reporter implements Service {
  readonly name = 'reporter';
  readonly #options: ReporterOptions;
  readonly #telling: ReportTelling;
  readonly #stop = new AbortController();
  #last: Report | undefined;
  #making: Promise<Report> | undefined;
  #isDue = false;
  #toldFailure: string | undefined;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#telling = new ReportTelling(options);
  }

  get last(): Report | undefined {
    return this.#last;
  }

  /** Why the last one could not be made, or not be kept. */
  get problem(): string | undefined {
    return this.#toldFailure;
  }

  async run(): Promise<void> {
    const { schedule, clock } = this.#options;
    const { signal } = this.#stop;
    const end = schedule?.start(() => void this.#onTime());
    if (schedule) {
      await clock.sleep(firstAfterMs, signal);
      await this.#attempt();
    }
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    end?.();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
  }

  /** Rejects when none could be made. */
  report(): Promise<Report> {
    this.#making ??= this.#make().finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }

  /** A time that comes while the report of the one before is waited for or made is over with it. */
  async #onTime(): Promise<void> {
    if (this.#isDue) return;
    this.#isDue = true;
    await this.#options.clock.sleep(this.#options.shiftMs, this.#stop.signal);
    await this.#attempt();
    this.#isDue = false;
  }

  async #attempt(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    await this.report().catch(() => undefined); // reason: told where it failed
  }

  async #make(): Promise<Report> {
    const stopped = this.#stop.signal;
    try {
      const report = await this.#madeInTime(stopped);
      // What was cut off says nothing of how things are.
      if (stopped.aborted) throw new Error('trainlogd is stopping');
      this.#last = report;
      this.#telling.tell(report);
      const problem = await this.#keepProblem(report);
      if (problem === undefined) this.#toldFailure = undefined;
      else this.#tellFailure(`report.json cannot be written: ${problem}`);
      return report;
    } catch (error) {
      if (!stopped.aborted) this.#tellFailure(`no report can be made: ${messageOf(error)}`);
      throw error;
    }
  }

  /** What a look makes of being cut off is no report, whether it is there before we are told or not. */
  async #madeInTime(stopped: AbortSignal): Promise<Report> {
    const { clock, make } = this.#options;
    const late = new Error(`it was not done within ${makeMaxMs / 1000} s`);
    const startedMs = clock.monotonicMs();
    const isLate = () => clock.monotonicMs() - startedMs >= makeMaxMs;
    const look = (over: AbortSignal) => make(AbortSignal.any([over, stopped]));
    const made = await within(clock, makeMaxMs, late, look).catch((error: unknown) => {
      throw isLate() ? late : error;
    });
    if (isLate() || made instanceof Error) throw late;
    return made;
  }

  async #keepProblem(report: Report): Promise<string | undefined> {
    const { clock, keep } = this.#options;
    const late = `it was not done within ${keepMaxMs / 1000} s`;
    try {
      return await within(clock, keepMaxMs, late, async () => {
        await keep(report);
        return undefined;
      });
    } catch (error) {
      return messageOf(error);
    }
  }

  #tellFailure(cause: string): void {
    if (cause === this.#toldFailure) return;
    this.#toldFailure = cause;
    this.#options.events.emit('report.failed', { cause });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
