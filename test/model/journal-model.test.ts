import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sqliteJournal } from '../support/journal.ts';
import { ModelSession } from './journal-model.ts';
import { type Bucket, SessionDriver, seals } from './session-driver.ts';

/**
 * Random lives of two sessions, over the real journal and both machines, held after each step against the model and
 * against what must hold whatever happens.
 */
const roots = ['run-a', 'run-b'] as const;
const paths = ['log', 'metrics'] as const;
const steps = [
  'write',
  'half write',
  'remove',
  'look',
  'look silent',
  'snapshot',
  'start',
  'arrive',
  'verify',
  'fail transient',
  'fail permanent',
  'fail vanished',
  'log',
  'log unrecorded',
  'finish',
  'finish stale',
  'crash',
  'rename',
  'retry',
] as const;
type Step = {
  readonly what: (typeof steps)[number];
  readonly session: 0 | 1;
  readonly path: (typeof paths)[number];
};

/** What usually follows each other is drawn together, or no life would get far. */
const habits: readonly (readonly Step['what'][])[] = [
  ['write', 'look'],
  ['half write', 'look'],
  ['remove', 'look'],
  ['look silent', 'log', 'write', 'look silent', 'snapshot', 'log', 'finish'],
  ['snapshot', 'log unrecorded'],
  ['start', 'arrive'],
  ['start', 'arrive', 'verify'],
  ['start', 'fail vanished'],
  ['start', 'write', 'look', 'fail transient'],
  ['start', 'write', 'look', 'fail permanent'],
  ['start', 'write', 'look', 'fail vanished'],
  ['start', 'half write', 'look', 'fail vanished'],
  ['start', 'arrive', 'verify', 'start', 'arrive', 'verify', 'finish'],
  ['start', 'arrive', 'verify', 'log unrecorded'],
  ['start', 'fail permanent', 'retry'],
  ['start', 'fail permanent', 'log', 'finish', 'retry', 'look'],
];
const life: fc.Arbitrary<Step[]> = fc
  .array(
    fc.record({
      what: fc.constantFrom<readonly Step['what'][]>(...steps.map((one): [Step['what']] => [one]), ...habits),
      session: fc.constantFrom(0 as const, 0 as const, 0 as const, 1 as const),
      path: fc.constantFrom(...paths),
    }),
    { minLength: 1, maxLength: 50, size: 'max' },
  )
  .map((all) => all.flatMap(({ what, ...where }) => what.map((one) => ({ what: one, ...where }))));

class World {
  readonly under = sqliteJournal();
  readonly bucket: Bucket = { objects: new Map(), logs: new Map() };
  readonly sessions = roots.map((root) => ({
    model: new ModelSession(),
    driver: new SessionDriver(() => this.under.journal, this.bucket, root),
  }));
  #drawn = 0;

  take({ what, session: at, path }: Step): void {
    const session = this.sessions[at];
    if (!session) throw new Error(`no session ${at}`);
    const { model, driver } = session;
    this.#drawn += 1;
    switch (what) {
      case 'write':
        model.disk.set(path, `v${this.#drawn}`);
        break;
      case 'half write':
        model.disk.set(path, `v${this.#drawn}?`);
        break;
      case 'remove':
        model.disk.delete(path);
        break;
      case 'look':
      case 'look silent':
        if (driver.look(model.disk, what === 'look' ? seals.evidence : seals.silence)) model.look();
        break;
      case 'snapshot':
        driver.snapshot();
        break;
      case 'start':
        driver.start();
        break;
      case 'arrive':
        driver.arrive();
        break;
      case 'verify': {
        const sent = driver.verify();
        if (sent) model.happen(sent.path, sent.fingerprint, { type: 'verified' });
        break;
      }
      case 'fail transient':
      case 'fail permanent':
      case 'fail vanished':
        this.#fail(model, driver, what);
        break;
      case 'log':
      case 'log unrecorded':
        driver.writeLog(what === 'log');
        // Who loses an answer has failed or died, and knows that much.
        if (what !== 'log') this.#crash();
        break;
      case 'finish':
        this.#finish(model, driver);
        break;
      case 'finish stale':
        this.#finishStale(driver);
        break;
      case 'crash':
        this.#crash();
        break;
      case 'rename':
        if (driver.rename(`${roots[at]}-${this.#drawn}`)) model.rename();
        break;
      case 'retry':
        model.retry(driver.retry());
        break;
      default:
        what satisfies never;
    }
  }

  #fail(
    model: ModelSession,
    driver: SessionDriver,
    what: `fail ${'transient' | 'permanent' | 'vanished'}`,
  ): void {
    const [, how] = what.split(' ') as ['fail', 'transient' | 'permanent' | 'vanished'];
    const failed = driver.fail(how);
    if (!failed) return;
    const event = how === 'vanished' ? ({ type: how } as const) : ({ type: 'failed', kind: how } as const);
    model.happen(failed.path, failed.fingerprint, event);
  }

  #finish(model: ModelSession, driver: SessionDriver): void {
    const isPending = paths.some((path) => model.at(path) === 'pending');
    const isShipping = driver.record.phase === 'shipping' && !driver.sending;
    expect(driver.finish()).toBe(isShipping && !isPending);
  }

  #finishStale(driver: SessionDriver): void {
    const { shipment } = driver;
    if (shipment) expect(this.under.journal.finish({ ...shipment, work: shipment.work - 1 })).toBe(false);
  }

  #crash(): void {
    this.under.reopen().recover();
    for (const { model, driver } of this.sessions) {
      model.crash();
      driver.restore();
    }
  }

  check(): void {
    for (const { model, driver } of this.sessions) {
      this.#filesAreAsModelled(model, driver);
      this.#theBucketDoesNotLie(driver);
      const { phase, revision, seal } = driver.record;
      // A log of a session that goes on is shipped like any other.
      const at = driver.machine.at === 'open' && phase === 'shipping' && !seal ? phase : driver.machine.at;
      expect(at).toBe(phase);
      this.#noEndIsForgotten(driver);
      expect(revision).toBeGreaterThanOrEqual(model.revision);
      model.revision = revision;
      expect(this.under.journal.idHolder(driver.id)).toBe(driver.sid);
      if (phase === 'shipped') this.#allIsToldOf(model, driver);
    }
  }

  /** Nothing that was uploaded and did not change is pending again, nothing that is pending is forgotten. */
  #filesAreAsModelled(model: ModelSession, driver: SessionDriver): void {
    const rows = new Map(this.under.journal.files(driver.sid).map((row) => [row.path, row]));
    for (const path of paths) {
      const row = rows.get(path);
      const state = row === undefined || row.state === 'none' ? 'unqueued' : row.state;
      expect(`${path} ${state}`).toBe(`${path} ${model.at(path)}`);
      const file = model.files.get(path);
      if (file?.wasQueued) {
        expect([path, row?.fingerprint, row?.receipt?.etag]).toEqual([path, file.version, file.receipt]);
      }
      // What an older version has spent is not held against this one.
      if (row?.state === 'pending') expect(row.attempts, path).toBeLessThanOrEqual(file?.failures ?? 0);
    }
  }

  #theBucketDoesNotLie({ id }: SessionDriver): void {
    for (const { key, etag } of this.bucket.logs.get(id)?.listed.values() ?? []) {
      expect(`${key} ${this.bucket.objects.get(key)}`).toBe(`${key} ${etag}`);
    }
  }

  /** What the bucket says of an end, the journal knows: an open session of which it does not needs no correction. */
  #noEndIsForgotten({ id, record }: SessionDriver): void {
    if (!record.endTold) expect(this.bucket.logs.get(id)?.isRunning ?? true, id).toBe(true);
  }

  #allIsToldOf(model: ModelSession, { id }: SessionDriver): void {
    const listed = this.bucket.logs.get(id)?.listed;
    for (const path of paths) {
      const isUploaded = model.at(path) === 'uploaded';
      expect(model.at(path), path).not.toBe('pending');
      if (isUploaded) expect(listed?.get(path)?.etag, path).toBe(model.files.get(path)?.version);
    }
  }
}

test('whatever happens in whatever order, nothing is forgotten and no log in the bucket lies', {
  timeout: 60_000,
}, () => {
  fc.assert(
    fc.property(life, (taken) => {
      const world = new World();
      try {
        for (const one of taken) {
          world.take(one);
          world.check();
        }
      } finally {
        world.under[Symbol.dispose]();
      }
    }),
    { numRuns: 80 },
  );
});
