import { describe, expect, test } from 'vitest';
import type { Lease } from '../../src/domain/lease.ts';
import type { WatchedPath } from '../../src/domain/watched-path.ts';
import type { LeaseStore } from '../../src/ports/lease-store.ts';

export interface LeasesUnderTest {
  /** Each as another host has it. */
  readonly hosts: readonly [LeaseStore, LeaseStore];
  makeSession(root: WatchedPath): Promise<void>;
  removeSession(root: WatchedPath): Promise<void>;
}

export function leaseOf(host: string, change: Partial<Lease> = {}): Lease {
  return {
    version: 1,
    state: 'held',
    host,
    writer: `writer-of-${host}`,
    root: 'run',
    directory: '12:0',
    ...change,
  };
}

/** What every store of leases must do. */
export function leaseStoreContract(name: string, make: () => Promise<LeasesUnderTest>): void {
  describe(`the lease store contract, ${name}`, () => {
    test('there is none before one was written', async () => {
      const { hosts, makeSession } = await make();
      await makeSession('run');
      expect(await hosts[0].read('run')).toBeUndefined();
    });

    test('every host reads the highest number, whole', async () => {
      const { hosts, makeSession } = await make();
      await makeSession('run');
      const identity = {
        id: 'run-1',
        key: 'k',
        startedAtMs: 1,
        startedBy: 'session.json',
        origin: 'ab'.repeat(16),
        unique: false,
        warnings: ['ö'],
      };
      for (let number = 1; number <= 6; number++) {
        expect(
          await hosts[number % 2 === 0 ? 0 : 1].write('run', number, leaseOf(`h${number}`, { identity })),
        ).toBe(true);
      }
      for (const host of hosts) {
        expect(await host.read('run')).toEqual({
          number: 6,
          lease: leaseOf('h6', { identity }),
          trusted: true,
        });
      }
    });

    test('of many who write a number at once exactly one is told that it did, and it is its lease that counts', async () => {
      const { hosts, makeSession } = await make();
      await makeSession('run');
      for (let number = 1; number <= 8; number++) {
        const writers = Array.from({ length: 8 }, (_, n) => `host-${n}`);
        const won = await Promise.all(
          writers.map((writer, n) => hosts[n % 2 === 0 ? 0 : 1].write('run', number, leaseOf(writer))),
        );
        expect(won.filter(Boolean)).toHaveLength(1);
        expect((await hosts[0].read('run'))?.lease?.host).toBe(writers[won.indexOf(true)]);
      }
    });

    test('who slept through many numbers is told so, although its own next one was removed since', async () => {
      const { hosts, makeSession } = await make();
      await makeSession('run');
      for (let number = 1; number <= 20; number++) await hosts[0].write('run', number, leaseOf('awake'));
      for (const number of [2, 3, 19, 20]) {
        expect(await hosts[1].write('run', number, leaseOf('asleep')), `${number}`).toBe(false);
      }
      expect(await hosts[1].read('run')).toMatchObject({ number: 20, lease: { host: 'awake' } });
    });

    test('two sessions do not share a lease, whatever they are called', async () => {
      const { hosts, makeSession } = await make();
      const roots = ['run', 'Run', 'a/b', 'a-b', 'a', '', 'a b', 'ä', 'n\udcff', '@x', '-x', 'x'.repeat(200)];
      for (const root of roots) await makeSession(root);
      for (const root of roots)
        expect(await hosts[0].write(root, 1, leaseOf('h', { root })), root).toBe(true);
      for (const root of roots) expect((await hosts[1].read(root))?.lease?.root).toBe(root);
    });

    test('no first lease is written for a session that is not there', async () => {
      const { hosts } = await make();
      await expect(hosts[0].write('run', 1, leaseOf('h'))).rejects.toMatchObject({
        name: 'FileFailure',
        reason: 'vanished',
      });
      expect(await hosts[0].read('run')).toBeUndefined();
    });

    test('it is removed only when its session is gone', async () => {
      const { hosts, makeSession, removeSession } = await make();
      await makeSession('run');
      for (let number = 1; number <= 4; number++) await hosts[0].write('run', number, leaseOf('h'));
      await hosts[0].remove('run');
      expect((await hosts[1].read('run'))?.number).toBe(4);
      await removeSession('run');
      expect((await hosts[1].read('run'))?.number).toBe(4);
      expect(await hosts[0].write('run', 5, leaseOf('h'))).toBe(true);
      await hosts[0].remove('run');
      await hosts[0].remove('run');
      expect(await hosts[1].read('run')).toBeUndefined();
    });
  });
}
