import { rmSync, statSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makePlace, objectKeys, type Place, runAgent, shippedLogs } from '../support/agent.ts';
import { type SeededRandom, seededRandom } from '../support/seeded-random.ts';

/** By hand: `TRAINLOGD_TEST_FLIPS=1000 TRAINLOGD_TEST_SEED=7 npx vitest run test/e2e/flipped-bits.test.ts` */
const rounds = Number(process.env['TRAINLOGD_TEST_FLIPS'] ?? 6);
const firstSeed = Number(process.env['TRAINLOGD_TEST_SEED'] ?? 1);
const names = ['a', 'b', 'c', 'd', 'e', 'f'];
const waiting = ['x', 'y', 'z'];

test(
  `bits that flip in the journal lose no session and send nothing twice, seeds ${firstSeed} and on`,
  async () => {
    const place = await makePlace();
    for (const name of names) await train(place, name);
    expect((await runAgent(place, ['drain'])).exit).toBe(0);
    const objects = snapshot(place);
    for (const name of waiting) await train(place, name);
    // Queued and not sent: a file is where the destination was.
    const away = `${place.destination}-away`;
    await rename(place.destination, away);
    await writeFile(place.destination, '');
    expect((await runAgent(place, ['drain', '--timeout', '1s'])).exit).toBe(75);
    await rm(place.destination);
    await rename(away, place.destination);
    const file = join(place.state, 'journal.sqlite');
    const journal = await readFile(file);
    const seal = await readFile(join(place.state, 'journal.seal'));
    const { mtimeMs } = await stat(file);
    // utimes() rounds: the middle of the millisecond stays in it.
    const sealedAtSeconds = (Math.floor(mtimeMs) + 0.5) / 1000;
    const problems: string[] = [];
    for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
      await rm(place.state, { recursive: true });
      await mkdir(place.state);
      await writeFile(file, flip(journal, seededRandom(seed)));
      await writeFile(join(place.state, 'journal.seal'), seal);
      // Bits that rot leave no trace in the times.
      await utimes(file, sealedAtSeconds, sealedAtSeconds);
      const problem = await shipAgain(place, objects);
      if (problem) problems.push(`seed ${seed}: ${problem}`);
      for (const key of objectKeys(place)) if (!objects.has(key)) forget(place, key);
    }
    expect(problems).toEqual([]);
  },
  15_000 + rounds * 5000,
);

async function train(place: Place, name: string): Promise<void> {
  const directory = join(place.folder, name);
  await mkdir(directory);
  await writeFile(join(directory, 'session.json'), JSON.stringify({ id: `id-${name}` }));
  for (const log of ['stdout.log', 'metrics.jsonl'])
    await writeFile(join(directory, log), `${log} of ${name}`);
  await writeFile(join(directory, 'result.json'), '{"status":"completed"}');
}

function flip(bytes: Buffer, random: SeededRandom): Buffer {
  const flipped = Buffer.from(bytes);
  for (let count = 1 + random.below(4); count > 0; count--) {
    const at = random.below(flipped.length);
    flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << random.below(8)), at);
  }
  return flipped;
}

async function shipAgain(place: Place, objects: ReadonlyMap<string, string>): Promise<string | undefined> {
  const { exit, stderr } = await runAgent(place, ['drain', '--timeout', '10s']);
  if (exit !== 0) return `exit ${exit}: ${stderr.slice(-1500)}`;
  const logs = shippedLogs(place);
  for (const name of [...names, ...waiting]) {
    const log = logs.get(name);
    const paths = log?.companions.map(({ path }) => path).sort();
    if (paths?.join() !== 'metrics.jsonl,stdout.log' || log?.missing.length !== 0)
      return `${name} is not whole: ${JSON.stringify(log)}`;
  }
  const now = snapshot(place);
  for (const [key, written] of objects) if (now.get(key) !== written) return `${key} was sent again`;
  if (logs.size !== names.length + waiting.length) return `there are ${logs.size} logs`;
  return undefined;
}

/** What tells whether an object was written anew. */
function snapshot(place: Place): Map<string, string> {
  return new Map(
    objectKeys(place).map((key) => {
      const { ino, mtimeNs } = statSync(join(place.destination, key), { bigint: true });
      return [key, `${ino} ${mtimeNs}`];
    }),
  );
}

function forget(place: Place, key: string): void {
  rmSync(join(place.destination, key));
}
