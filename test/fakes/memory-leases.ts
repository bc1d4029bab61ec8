import { FileFailure } from '../../src/domain/failure.ts';
import type { FoundLease, Lease } from '../../src/domain/lease.ts';
import type { WatchedPath } from '../../src/domain/watched-path.ts';
import type { LeaseStore } from '../../src/ports/lease-store.ts';

/** What the hosts of one folder see of its leases. */
export class MemoryLeases implements LeaseStore {
  readonly #chains = new Map<WatchedPath, Map<number, Omit<FoundLease, 'number'>>>();
  readonly #isThere: (root: WatchedPath) => Promise<boolean>;
  /** Every number that was written, in order. */
  readonly history: { readonly root: WatchedPath; readonly number: number; readonly lease: Lease }[] = [];
  readonly removed: WatchedPath[] = [];
  reads = 0;
  failWrites: FileFailure | undefined;
  failReads: FileFailure | undefined;

  constructor(isThere: (root: WatchedPath) => Promise<boolean>) {
    this.#isThere = isThere;
  }

  async read(root: WatchedPath): Promise<FoundLease | undefined> {
    this.reads += 1;
    if (this.failReads) throw this.failReads;
    return this.#highest(root);
  }

  async write(root: WatchedPath, number: number, lease: Lease): Promise<boolean> {
    if (this.failWrites) throw this.failWrites;
    const chain = this.#chains.get(root) ?? new Map();
    if (chain.size === 0 && !(await this.#isThere(root)))
      throw new FileFailure('vanished', 'ENOENT', `${root} is not there`, 'make it again');
    if ((this.#highest(root)?.number ?? 0) >= number) return false;
    this.#chains.set(root, chain.set(number, { lease, trusted: true }));
    for (const old of chain.keys()) if (old < number - 2) chain.delete(old);
    this.history.push({ root, number, lease });
    return true;
  }

  async remove(root: WatchedPath): Promise<void> {
    if (await this.#isThere(root)) return;
    this.#chains.delete(root);
    this.removed.push(root);
  }

  /** What anybody may put there. */
  plant(root: WatchedPath, number: number, lease: Lease | undefined, trusted = true): void {
    const chain = this.#chains.get(root) ?? new Map();
    this.#chains.set(root, chain.set(number, { lease, trusted }));
  }

  #highest(root: WatchedPath): FoundLease | undefined {
    const chain = this.#chains.get(root);
    const number = Math.max(0, ...(chain?.keys() ?? []));
    const found = chain?.get(number);
    return found && { number, ...found };
  }
}
