import { describe } from 'vitest';
import type { JournalUnderTest } from '../support/journal.ts';
import { journalBench } from './journal-bench.ts';
import { durabilityContract } from './journal-durability.ts';
import { fileContract } from './journal-files.ts';
import { ledgerContract } from './journal-ledger.ts';
import { queueContract } from './journal-queue.ts';
import { recordedContract } from './journal-recorded.ts';
import { reportContract } from './journal-reports.ts';
import { retryContract } from './journal-retry.ts';
import { sessionContract } from './journal-sessions.ts';
import { sharedContract } from './journal-shared.ts';
import { shippingContract } from './journal-shipping.ts';
import { staleContract } from './journal-stale.ts';
import { toldEndContract } from './journal-told.ts';
import { viewContract } from './journal-views.ts';

/** What every journal must do; `make` gives an empty one. */
export function journalContract(name: string, make: () => JournalUnderTest): void {
  describe(`the journal contract, ${name}`, () => {
    const bench = journalBench(make);
    sessionContract(bench);
    queueContract(bench);
    fileContract(bench);
    staleContract(bench);
    shippingContract(bench);
    reportContract(bench);
    retryContract(bench);
    ledgerContract(bench);
    durabilityContract(bench);
    sharedContract(bench);
    viewContract(bench);
    recordedContract(bench);
    toldEndContract(bench);
  });
}
