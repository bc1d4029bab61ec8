import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makePlace, shippedLogs } from '../support/agent.ts';
import { expectAllShipped, filesBelow, layOut } from '../support/run-directories.ts';

const fixtures = join(import.meta.dirname, '../fixtures/runs');
/** Files of real runs, kept outside of the project; INDEX.tsv says where each lay. */
const samples = resolve(import.meta.dirname, '../../../shared/samples');

/** Weights and checkpoints too. */
const everything = { TRAINLOGD_COMPANIONS_EXCLUDE: 'nothing-is-called-so' };

function fixtureFiles(): Map<string, string> {
  return new Map(filesBelow(fixtures).map((path) => [join(fixtures, path), path]));
}

/** `<repo>/<path>`; a second file for one place, of another commit, lies in a directory beside it. */
function sampleFiles(): Map<string, string> {
  const [header = '', ...rows] = readFileSync(join(samples, 'INDEX.tsv'), 'utf8').trimEnd().split('\n');
  const names = header.split('\t');
  const taken = new Set<string>();
  const files = new Map<string, string>();
  for (const row of rows) {
    const fields = row.split('\t');
    const field = (name: string) => fields[names.indexOf(name)] ?? '';
    const plain = `${field('repo')}/${field('path')}`;
    const target = taken.has(plain)
      ? `${field('repo')}@${field('commit').slice(0, 8)}/${field('path')}`
      : plain;
    taken.add(target);
    if (existsSync(join(samples, field('file')))) files.set(join(samples, field('file')), target);
  }
  return files;
}

const suites = [
  { name: 'small runs in the shape of each framework', files: fixtureFiles, exists: true, atLeast: 20 },
  {
    name: 'files of real runs',
    files: sampleFiles,
    exists: existsSync(join(samples, 'INDEX.tsv')),
    atLeast: 100,
  },
];

describe.each(suites)('$name', ({ files, exists, atLeast }) => {
  test.for([
    ['with the defaults', {}],
    [
      'with nothing left out and a session in each directory of the second level',
      { ...everything, TRAINLOGD_WATCH_SESSIONS: '*/*/' },
    ],
  ] as const)('are drained %s: no session is lost, every byte is there', async ([, env], { skip }) => {
    skip(!exists, `there are no sample files at ${samples}`);
    const place = await makePlace();
    const laidOut = files();
    expect(new Set(laidOut.values()).size).toBe(laidOut.size);
    expect(laidOut.size).toBeGreaterThan(atLeast);
    await layOut(place, laidOut);
    const plan = await expectAllShipped(place, env);
    expect(plan.sessions.length).toBeGreaterThan(2);
    expect(
      plan.sessions.flatMap(({ warnings }) => warnings.filter((warning) => /EACCES|could not/.test(warning))),
    ).toEqual([]);
  });
});

test('of the small runs, what is odd about each file survives, and the log of the native one is valid JSON', async () => {
  const place = await makePlace();
  await layOut(place, fixtureFiles());
  await expectAllShipped(place, everything);
  const native = shippedLogs(place).get('native-run');
  expect(native).toMatchObject({
    session: { id: 'fixture-native', status: 'completed', startedAt: '2026-01-05T10:00:00.000Z' },
    native: {
      'session.json': { config: { learningRate: null } },
      'result.json': { metrics: { loss: null } },
    },
    warnings: [/session\.json: NaN or Infinity/, /result\.json: NaN or Infinity/].map((text) =>
      expect.stringMatching(text),
    ),
  });
  const shipped = filesBelow(join(place.destination, 'training-logs/companions')).map((path) =>
    readFileSync(join(place.destination, 'training-logs/companions', path), 'latin1'),
  );
  for (const oddity of [/NaN/, /^version https:\/\/git-lfs/, /\r\n/, /"lo$/, /\r 50%/, /9223372036854775807/])
    expect(shipped).toContainEqual(expect.stringMatching(oddity));
});
