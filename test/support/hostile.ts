import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { SessionLog } from '../../src/domain/session-log.ts';
import { type Ended, linesOf, objectBytes, type Place, shippedLogs } from './agent.ts';

/** One way in which a session can be hostile, what its log and the lines then say, and what must never be seen. */
export interface HostileRow {
  readonly name: string;
  /** Makes `<folder>/hostile`, and whatever else it takes. */
  readonly make: (place: Place) => void | Promise<void>;
  readonly env?: Readonly<Record<string, string>>;
  /** 0 where it is not given. */
  readonly exit?: number | 'any';
  /** Paths of the companions that arrive, in byte order. */
  readonly companions: readonly string[];
  readonly missing?: readonly { readonly path: string; readonly reason: string }[];
  /** Each warning of the log, in order. */
  readonly warnings?: readonly RegExp[];
  /** Each must be found in a line of its own. */
  readonly told?: readonly RegExp[];
  readonly never?: RegExp;
  readonly log?: (log: SessionLog, place: Place) => void | Promise<void>;
}

const healthyFiles = {
  'session.json': '{"id":"healthy","startedAt":"2026-01-31T12:00:00Z"}',
  'result.json': '{"status":"completed"}',
  'train.log': 'epoch 1\nepoch 2\n',
  'metrics/loss.csv': 'step,loss\n1,0.5\n',
};

export async function write(place: Place, path: string, text: string | Uint8Array): Promise<void> {
  const file = join(place.folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

/** A session beside the hostile one that nothing is wrong with. */
export async function makeHealthy(place: Place): Promise<void> {
  for (const [path, text] of Object.entries(healthyFiles)) await write(place, `healthy/${path}`, text);
}

/** It has arrived whole, as if it had been alone. */
export function expectHealthy(place: Place): void {
  const log = shippedLogs(place).get('healthy');
  expect(log).toMatchObject({ session: { id: 'healthy', status: 'completed' }, missing: [], warnings: [] });
  const companions = log?.companions ?? [];
  expect(companions.map(({ path }) => path).sort()).toEqual(['metrics/loss.csv', 'train.log']);
  expect(Object.keys(log?.native ?? {}).sort()).toEqual(['result.json', 'session.json']);
  for (const { path, key } of companions) {
    expect(objectBytes(place, key).toString()).toBe(healthyFiles[path as keyof typeof healthyFiles]);
  }
}

export async function expectRow(row: HostileRow, place: Place, ended: Ended): Promise<void> {
  expectHealthy(place);
  const log = shippedLogs(place).get('hostile');
  if (log === undefined) throw new Error(`the hostile session has no log; ${ended.stderr}`);
  const bytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  expect(log.companions.map(({ path }) => path).sort(bytes)).toEqual(row.companions);
  expect(log.missing.map(({ path, reason }) => ({ path, reason }))).toEqual(row.missing ?? []);
  expect(log.warnings, JSON.stringify(log.warnings)).toHaveLength(row.warnings?.length ?? 0);
  for (const [at, warning] of (row.warnings ?? []).entries()) expect(log.warnings[at]).toMatch(warning);
  const lines = linesOf(ended.stderr).map(({ message }) => message);
  for (const told of row.told ?? []) expect(lines).toContainEqual(expect.stringMatching(told));
  if (row.never) {
    expect(JSON.stringify(log)).not.toMatch(row.never);
    expect(ended.stderr).not.toMatch(row.never);
  }
  await row.log?.(log, place);
  if (row.exit !== 'any') expect(ended.exit, ended.stderr).toBe(row.exit ?? 0);
}

/** What lies in the destination for this companion is what lies in the folder. */
export async function expectSameBytes(place: Place, log: SessionLog, path: string): Promise<void> {
  const key = log.companions.find((companion) => companion.path === path)?.key ?? '';
  expect(objectBytes(place, key)).toEqual(await readFile(join(place.folder, 'hostile', path)));
}
