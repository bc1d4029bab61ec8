/** When the fault comes: instead of the call, or after it was carried out, as when the answer is lost. */
export type FaultMoment = 'before' | 'after';

/** Which calls of which operation fail, and how: what the fakes of the stores share. */
export class PlannedFaults<Operation extends string> {
  readonly #faults: { operation: Operation; call: number; error: Error; moment: FaultMoment }[] = [];
  readonly #counts = new Map<Operation, number>();

  /** Makes the next call of `operation` fail; called n times, the next n. */
  failNext(operation: Operation, error: Error, moment: FaultMoment): void {
    const planned = this.#faults.filter((fault) => fault.operation === operation);
    const last = Math.max(this.#counts.get(operation) ?? 0, ...planned.map(({ call }) => call));
    this.failCall(operation, last + 1, error, moment);
  }

  /** Makes call number `call` of `operation` fail, counted from 1. */
  failCall(operation: Operation, call: number, error: Error, moment: FaultMoment): void {
    this.#faults.push({ operation, call, error, moment });
  }

  /** Counts a call; what it returns is told when the call was carried out. */
  count(operation: Operation): { before(): void; after(): void } {
    const call = (this.#counts.get(operation) ?? 0) + 1;
    this.#counts.set(operation, call);
    const at = (moment: FaultMoment) => () => {
      const fault = this.#faults.find((planned) => planned.operation === operation && planned.call === call);
      if (fault?.moment === moment) throw fault.error;
    };
    return { before: at('before'), after: at('after') };
  }
}
