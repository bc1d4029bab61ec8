import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Bench, Line, Row } from './bench.ts';
import { makeCertificate } from './certificate.ts';
import { installPeers } from './peers.ts';
import { rows } from './rows/index.ts';
import { type Sink, startSink } from './sink-process.ts';
import { tableOf } from './table.ts';

/**
 * `npm run bench [-- --quick] [--only NAME[,NAME]] [--rounds N] [--json FILE] [--program 'NODE-ARGUMENTS main.js']`, the
 * last for another build than this checkout's. All that it writes is under one temporary directory.
 */
const repository = join(import.meta.dirname, '..');

interface Done {
  readonly name: string;
  readonly title: string;
  readonly lines: readonly Line[];
  readonly notes: readonly string[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      json: { type: 'string' },
      rounds: { type: 'string' },
      program: { type: 'string' },
    },
  });
  const chosen = chooseRows(values.only);
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const base = mkdtempSync(join(tmpdir(), 'trainlogd-bench-'));
  process.on('exit', () => rmSync(base, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
  installPeers(say);
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
  const program = values.program === undefined ? build() : [process.execPath, ...values.program.split(' ')];
  const done: Done[] = [];
  for (const row of chosen) {
    say(`${row.name}: ${row.title}`);
    done.push(await runRow(row, { base, quick: values.quick, rounds, program, say }));
    process.stdout.write(`\n${tableOf(done.at(-1) as Done)}\n`);
  }
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify(report(done, rounds), null, 2)}\n`);
}

function chooseRows(only: string | undefined): readonly Row[] {
  if (only === undefined) return rows;
  return only.split(',').map((name) => {
    const row = rows.find((one) => one.name === name);
    if (!row)
      throw new Error(
        `choosing rows: there is no ${name}: known are ${rows.map((one) => one.name).join(', ')}`,
      );
    return row;
  });
}

async function runRow(
  row: Row,
  given: { base: string; quick: boolean; rounds: number; program: readonly string[]; say: Bench['say'] },
): Promise<Done> {
  const sinks = new Map<string, Sink>();
  let directories = 0;
  const directory = (name: string) => {
    const made = join(given.base, `${row.name}-${directories++}-${name}`);
    mkdirSync(made);
    return made;
  };
  const sink = async (kind: 'http' | 'https') => {
    const known = sinks.get(kind);
    if (known) return known;
    const made = await startSink(kind === 'https' ? makeCertificate(directory('tls')) : undefined);
    sinks.set(kind, made);
    return made;
  };
  const { quick, rounds, program, say } = given;
  try {
    const { lines, notes = [] } = await row.run({ quick, rounds, program, say, directory, sink });
    return { name: row.name, title: row.title, lines, notes };
  } finally {
    for (const one of sinks.values()) await one[Symbol.asyncDispose]();
    rmSync(given.base, { recursive: true, force: true });
    mkdirSync(given.base, { recursive: true });
  }
}

/** With what `npm start` gives to Node: a small young generation keeps a tenth of a gigabyte for the training. */
const launchFlags = ['--max-semi-space-size=2'];

/** The program as it is shipped: one bundle. */
function build(): readonly string[] {
  const home = mkdtempSync(join(tmpdir(), 'trainlogd-bench-program-'));
  process.on('exit', () => rmSync(home, { recursive: true, force: true }));
  const program = join(home, 'main.js');
  const ran = spawnSync('npm', ['run', '-s', 'build', '--', '--dir', home, '--logLevel', 'silent'], {
    cwd: repository,
    encoding: 'utf8',
  });
  if (!existsSync(program)) throw new Error(`building the program: ${ran.stdout}${ran.stderr}`);
  return [process.execPath, ...launchFlags, program];
}

function report(done: readonly Done[], rounds: number): object {
  const [cpu] = cpus();
  return {
    madeAt: new Date().toISOString(),
    machine: { cpu: cpu?.model ?? 'unknown', cores: cpus().length, memoryGb: Math.round(totalmem() / 1e9) },
    node: process.version,
    rounds,
    rows: done,
  };
}

await main();
