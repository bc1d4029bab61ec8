import { describe, expect, onTestFinished, test } from 'vitest';
import { Conflict, Failure, FileFailure } from '../../src/domain/failure.ts';
import type { Receipt } from '../../src/ports/object-store.ts';
import { countServed } from '../../src/services/counted-store.ts';
import { DestinationGate } from '../../src/services/destination-gate.ts';
import type { PartTarget } from '../../src/services/part-sender.ts';
import { PartTransfer } from '../../src/services/part-transfer.ts';
import { ResumeRecords } from '../../src/services/resume-records.ts';
import { Turns } from '../../src/services/turns.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { MemoryFolder } from '../fakes/memory-folder.ts';
import type { MemoryPartsOptions } from '../fakes/memory-parts.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { eventually } from '../support/eventually.ts';
import { newSession, sqliteJournal } from '../support/journal.ts';
import { keyTemplate, Recorder, retry } from '../support/services.ts';

const never = new AbortController().signal;
const absent = { absent: true } as const;
const key = 'companions/a/grows.log';
const noProgress = () => {};

/** A file `grows.log` of a session, parts of four bytes, one at a time. */
class Bench {
  readonly clock = new FakeClock();
  readonly folder = new MemoryFolder({ clock: this.clock });
  readonly events = new Recorder();
  readonly under = sqliteJournal();
  readonly store: MemoryStore;
  readonly sid: number;
  transfer: PartTransfer;

  constructor(parts: Partial<MemoryPartsOptions> = {}) {
    onTestFinished(() => this.under[Symbol.dispose]());
    this.store = new MemoryStore({ parts: { firstBytes: 4, ...parts } });
    this.sid = this.under.journal.begin(newSession('a')).sid;
    this.transfer = this.#start(1);
  }

  #start(partConcurrency: number): PartTransfer {
    const { clock, events, store, folder } = this;
    const gate = new DestinationGate({ name: store.name, clock, events, limits: retry });
    const counted = countServed(store, gate.served);
    const { parts } = counted;
    if (!parts) return expect.fail('the store has no parts');
    const context = {
      source: folder,
      journal: this.under.journal,
      store: counted,
      gate,
      clock,
      events,
      retry,
      keyTemplate,
      logBytesMax: 1_000_000,
      claiming: new Turns<number>(),
    };
    const records = new ResumeRecords(context, 1000);
    return new PartTransfer({ context, parts, records, partConcurrency });
  }

  get journal() {
    return this.under.journal;
  }

  /** Another process: what the one before had in memory is forgotten. */
  restart(partConcurrency = 1): void {
    this.under.reopen();
    this.transfer = this.#start(partConcurrency);
  }

  write(text: string): void {
    this.folder.write('grows.log', text);
  }

  target(previous?: Receipt): PartTarget {
    const metadata = { origin: 'o' };
    const target = {
      sid: this.sid,
      session: 'a',
      path: 'grows.log',
      key,
      metadata,
      contentType: 'text/plain',
    };
    return previous ? { ...target, previous } : target;
  }

  async finish(previous?: Receipt, signal = never): Promise<Receipt> {
    const opened = await this.folder.open('grows.log');
    const condition = previous ? { etag: previous.etag } : absent;
    try {
      const { sizeBytes } = opened;
      return await this.transfer.finish(
        this.target(previous),
        opened,
        sizeBytes,
        condition,
        signal,
        noProgress,
      );
    } finally {
      await opened.close();
    }
  }

  async send(untilBytes: number): Promise<number> {
    const opened = await this.folder.open('grows.log');
    try {
      return await this.transfer.sendWholeParts(this.target(), opened, untilBytes, never);
    } finally {
      await opened.close();
    }
  }

  recorded(): number[] {
    return this.journal.openUpload(this.sid, 'grows.log')?.parts.map(({ number }) => number) ?? [];
  }

  calls(operation: string): number {
    return this.store.calls.filter((call) => call === `${operation} ${key}`).length;
  }

  restarts(): string[] {
    return this.events.of('upload.restarted').map(({ cause }) => cause);
  }
}

const failure = (kind: Failure['kind'], code: string) =>
  new Failure({ kind, code, attempted: `sending: ${code}`, remedy: 'renew them' });

test('finish() makes an object of exactly the first bytes, in parts that the ledger holds until the receipt', async () => {
  const bench = new Bench();
  bench.write('abcdefghij and more');
  const opened = await bench.folder.open('grows.log');
  const seen: number[] = [];
  const receipt = await bench.transfer.finish(bench.target(), opened, 10, absent, never, (bytes) => {
    seen.push(bytes);
  });
  await opened.close();
  expect(bench.store.text(key)).toBe('abcdefghij');
  expect(bench.store.versions(key)[0]).toMatchObject({
    object: { etag: receipt.etag, metadata: { origin: 'o' } },
    contentType: 'text/plain',
  });
  expect(receipt).toMatchObject({ sizeBytes: 10, partSizeBytes: 4 });
  expect(bench.recorded()).toEqual([1, 2, 3]);
  expect(seen[0]).toBe(0);
  expect(seen.at(-1)).toBe(10);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
});

test('a file that grows travels once: whole parts as they are there, the tail at the end', async () => {
  const bench = new Bench();
  bench.write('abc');
  expect(await bench.send(3)).toBe(0);
  expect(bench.store.calls).toEqual([]);
  bench.write('abcdefghi');
  expect(await bench.send(9)).toBe(8);
  bench.write('abcdefghijklmn');
  expect(await bench.send(14)).toBe(12);
  await bench.finish();
  expect(bench.store.text(key)).toBe('abcdefghijklmn');
  expect(bench.calls('sendPart')).toBe(4);
  expect(bench.calls('begin')).toBe(1);
  expect(bench.restarts()).toEqual([]);
});

test('a later life goes on at the next part, once it has read the recorded ones again', async () => {
  const bench = new Bench();
  bench.write('abcdefghij');
  bench.store.failCall('sendPart', 3, failure('transient', 'InternalError'));
  await expect(bench.finish()).rejects.toThrow('InternalError');
  expect(bench.recorded()).toEqual([1, 2]);
  bench.restart();
  let reads = 0;
  bench.folder.beforeRead = () => {
    reads += 1;
  };
  await bench.finish();
  expect(bench.store.text(key)).toBe('abcdefghij');
  expect(bench.calls('sendPart')).toBe(4);
  expect(reads).toBe(3);
});

test('in the same life, nothing is read again while the file is what it was', async () => {
  const bench = new Bench();
  bench.write('abcdefghij');
  bench.store.failCall('sendPart', 3, failure('transient', 'InternalError'));
  await expect(bench.finish()).rejects.toThrow('InternalError');
  let reads = 0;
  bench.folder.beforeRead = () => {
    reads += 1;
  };
  await bench.finish();
  expect(bench.store.text(key)).toBe('abcdefghij');
  expect(reads).toBe(1);
});

test('a changed beginning gives the upload up with a warning, and starts over', async () => {
  const bench = new Bench();
  bench.write('abcdefgh');
  await bench.send(8);
  bench.write('abcdEFGHij');
  await bench.finish();
  expect(bench.store.text(key)).toBe('abcdEFGHij');
  expect(bench.restarts()).toEqual(['part 2 at byte 4 is not what was sent']);
  expect(bench.journal.abandonedUploads(9)).toMatchObject([{ key, sentBytes: 8 }]);
});

test('bytes that change while they are sent are found before the object is shown', async () => {
  const bench = new Bench();
  bench.write('abcdefghij');
  let reads = 0;
  bench.folder.beforeRead = () => {
    reads += 1;
    // The first part was sent, the second is on its way.
    if (reads === 2) bench.write('ABCDefghij');
  };
  await bench.finish();
  expect(bench.store.versions(key).map(({ bytes }) => String(bytes))).toEqual(['ABCDefghij']);
  expect(bench.restarts()).toHaveLength(1);
});

test('a file that changes all the time is left for later', async () => {
  const bench = new Bench();
  bench.write('0bcdefghij');
  let reads = 0;
  bench.folder.beforeRead = () => {
    reads += 1;
    bench.write(`${reads % 10}bcdefghij`);
  };
  await expect(bench.finish()).rejects.toThrow(FileFailure);
  expect(bench.store.keys()).toEqual([]);
  expect(bench.journal.uploadCounts()).toMatchObject({ open: 0, abandoned: 3 });
});

test.each([
  ['another file by that path', 'it is another file now', (bench: Bench) => bench.folder.remove('grows.log')],
  ['one that was cut', 'it is shorter than what was sent of it', () => {}],
])('%s starts over', async (_, cause, before) => {
  const bench = new Bench();
  bench.write('abcdefghij');
  expect(await bench.send(8)).toBe(8);
  before(bench);
  bench.write('abcd');
  await bench.finish();
  expect(bench.store.text(key)).toBe('abcd');
  expect(bench.restarts()).toEqual([cause]);
  expect(bench.journal.uploadCounts()).toMatchObject({ abandoned: 1, abandonedBytes: 8 });
});

test.each([
  ['while parts are sent', 'the destination does not know this upload any more', 0],
  ['at the end', 'the destination cannot complete it any more', 1],
])(
  'an upload that the destination forgot begins again with a warning, %s',
  async (when, cause, abandoned) => {
    const bench = new Bench();
    bench.write('abcdefgh');
    await bench.send(when === 'at the end' ? 8 : 4);
    const [open] = bench.store.openUploads();
    bench.store.forgetUpload(open?.uploadId ?? '');
    await bench.finish();
    expect(bench.store.text(key)).toBe('abcdefgh');
    expect(bench.restarts()).toEqual([cause]);
    expect(bench.journal.uploadCounts()).toMatchObject({ open: 1, abandoned });
  },
);

test('a destination that forgets every upload is tried again later', async () => {
  const bench = new Bench();
  bench.write('abcdefghij');
  const forget = () => bench.store.forgetUpload(bench.store.openUploads()[0]?.uploadId ?? '');
  bench.folder.beforeRead = forget;
  await expect(bench.finish()).rejects.toMatchObject({ kind: 'transient', code: 'NoSuchUpload' });
  expect(bench.restarts()).toHaveLength(3);
});

test('the first failure stops new parts; those in flight are waited for and recorded', async () => {
  const bench = new Bench();
  bench.restart(3);
  bench.write('abcdefghijklmnopqrstuvwxyz');
  bench.store.failCall('sendPart', 1, failure('transient', 'InternalError'));
  await expect(bench.finish()).rejects.toThrow('InternalError');
  expect(bench.calls('sendPart')).toBe(3);
  expect(bench.recorded()).toEqual([2, 3]);
  await bench.finish();
  expect(bench.store.text(key)).toBe('abcdefghijklmnopqrstuvwxyz');
  expect(bench.calls('sendPart')).toBe(3 + 5);
});

test('credentials that expire in the middle: the part waits at the gate, and the next one goes on', async () => {
  const bench = new Bench();
  bench.write('abcdefghij');
  for (let call = 2; call <= 30; call++)
    bench.store.failCall('sendPart', call, failure('blocked', 'ExpiredToken'));
  const finishing = bench.finish();
  await eventually(() => expect(bench.events.of('destination.blocked')).not.toEqual([]));
  expect(bench.recorded()).toEqual([1]);
  await bench.clock.advance(4 * 3_600_000);
  await finishing;
  expect(bench.store.text(key)).toBe('abcdefghij');
  expect(bench.calls('sendPart')).toBe(30 + 2);
  expect(bench.events.of('destination.open')).toHaveLength(1);
});

test('stopped, it keeps what arrived', async () => {
  const bench = new Bench();
  bench.write('abcdefghij');
  const stop = new AbortController();
  let reads = 0;
  bench.folder.beforeRead = () => {
    reads += 1;
    if (reads === 2) stop.abort();
  };
  await expect(bench.finish(undefined, stop.signal)).rejects.toMatchObject({ kind: 'cancelled' });
  expect(bench.recorded()).toEqual([1]);
  expect(bench.folder.openFiles).toBe(0);
});

test('what grew after it was completed is sent alone: the parts before are copied', async () => {
  const bench = new Bench();
  bench.write('abcdefghij');
  const previous = await bench.finish();
  bench.journal.closeUpload(bench.sid, 'grows.log');
  bench.write('abcdefghijklmnop');
  await bench.finish(previous);
  expect(bench.store.text(key)).toBe('abcdefghijklmnop');
  expect(bench.calls('copyPart')).toBe(2);
  expect(bench.calls('sendPart')).toBe(3 + 2);
});

test('nothing is copied of an object that the file does not begin with', async () => {
  const bench = new Bench();
  bench.write('abcdefghij');
  const previous = await bench.finish();
  bench.journal.closeUpload(bench.sid, 'grows.log');
  bench.write('abcdefghiJklmnop');
  await bench.finish(previous);
  expect(bench.store.text(key)).toBe('abcdefghiJklmnop');
  expect(bench.calls('copyPart')).toBe(0);
});

test('a destination that does not copy is asked once, and sent to from then on', async () => {
  const bench = new Bench({ copies: false });
  bench.write('abcdefghij');
  let previous = await bench.finish();
  for (const text of ['abcdefghijklm', 'abcdefghijklmnopqrs']) {
    bench.journal.closeUpload(bench.sid, 'grows.log');
    bench.write(text);
    previous = await bench.finish(previous);
  }
  expect(bench.store.text(key)).toBe('abcdefghijklmnopqrs');
  expect(bench.calls('copyPart')).toBe(1);
});

test('the condition of the last request is kept', async () => {
  const bench = new Bench();
  bench.write('abcdefghij');
  bench.store.seed(key, 'somebody');
  await expect(bench.finish()).rejects.toThrow(Conflict);
  expect(bench.store.text(key)).toBe('somebody');
  expect(bench.recorded()).toEqual([1, 2, 3]);
});

describe('parts that are refused when they were taken', () => {
  const bytes = 'abcdefghijklmnopqrstuvwxyz';

  test('for their sizes are sent once more, cut alike', async () => {
    const bench = new Bench({ doublesEvery: 1, refuses: 'unequal' });
    bench.write(bytes);
    const receipt = await bench.finish();
    expect(bench.store.text(key)).toBe(bytes);
    expect(receipt).toMatchObject({ partSizeBytes: 4 });
    expect(bench.restarts()).toEqual([expect.stringContaining('refuses them now (InvalidPart)')]);
    // 4, 8, 14 bytes; then six of 4 and the rest.
    expect(bench.calls('sendPart')).toBe(3 + 7);
    expect(bench.journal.uploadCounts()).toMatchObject({ open: 1, abandoned: 1, abandonedBytes: 26 });
    bench.journal.closeUpload(bench.sid, 'grows.log');
    bench.write(`${bytes}${bytes}`);
    await bench.finish(receipt);
    expect(bench.restarts()).toHaveLength(1);
  });

  test('whatever is done are left to a person, who is told what to do', async () => {
    const bench = new Bench({ refuses: 'all' });
    bench.write(bytes);
    const error = await bench.finish().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'permanent', code: 'InvalidPart' });
    expect(error).toMatchObject({
      message: expect.stringContaining('sending file "grows.log" in parts: begun anew after a refusal'),
      remedy: expect.stringContaining('upload.partSize'),
    });
    expect(bench.calls('complete')).toBe(2);
    expect(bench.journal.uploadCounts()).toMatchObject({ open: 0, abandoned: 2 });
  });
});

test('the same bytes put there by another upload end this one, whose parts are to be freed', async () => {
  const bench = new Bench();
  bench.write('abcdefghij');
  await bench.finish();
  bench.journal.closeUpload(bench.sid, 'grows.log');
  const receipt = await bench.finish();
  expect(receipt).not.toHaveProperty('byOther');
  expect(bench.store.versions(key)).toHaveLength(1);
  expect(bench.journal.uploadCounts()).toMatchObject({ open: 0, abandoned: 1, abandonedBytes: 10 });
});
