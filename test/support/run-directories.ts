import { readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { expect } from 'vitest';
import { isIgnoredName } from '../../src/domain/watched-path.ts';
import type { FolderPlan } from '../../src/services/planner.ts';
import { type AgentOptions, objectBytes, type Place, runAgent, shippedLogs } from './agent.ts';

/** Lays files out below the folder: target path by source path. */
export async function layOut(place: Place, files: ReadonlyMap<string, string>): Promise<void> {
  for (const [source, target] of files) {
    const path = join(place.folder, target);
    await mkdir(dirname(path), { recursive: true });
    await cp(source, path);
  }
}

export function filesBelow(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
}

/**
 * Drains the folder. Afterwards every session that `plan` named is in the destination under its key, and each file is
 * accounted for: in the bucket to the byte, whole in the log, left out by a rule and counted, or of an ignored name.
 */
export async function expectAllShipped(place: Place, env: AgentOptions['env'] = {}): Promise<FolderPlan> {
  const planned = await runAgent(place, ['plan', '--json'], { env });
  const plan = JSON.parse(planned.stdout) as FolderPlan;
  const ended = await runAgent(place, ['drain', '--timeout', '60s'], { env });
  expect(ended.exit, ended.stderr).toBe(0);
  const logs = shippedLogs(place);
  expect([...logs.keys()].sort()).toEqual(plan.sessions.map(({ path }) => path).sort());
  let accounted = plan.loose.length;
  for (const { path, key, companions } of plan.sessions) {
    const log = logs.get(path);
    if (log === undefined) throw new Error(`${path} has no log`);
    expect(objectBytes(place, key).toString()).toContain(`"id":"${log.session.id}"`);
    expect(log.missing).toEqual([]);
    expect(log.companions.map((companion) => companion.path).sort()).toEqual(
      companions.map((c) => c.path).sort(),
    );
    for (const companion of log.companions) {
      const bytes = readFileSync(join(place.folder, path, companion.path));
      expect(objectBytes(place, companion.key).equals(bytes), companion.key).toBe(true);
      expect(companion.bytes).toBe(bytes.length);
    }
    accounted += log.companions.length + log.excluded.files + Object.keys(log.native).length;
  }
  const seen = filesBelow(place.folder).filter((path) => !path.split('/').some(isIgnoredName));
  expect(accounted).toBe(seen.length);
  return plan;
}
