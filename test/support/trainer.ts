import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SessionStatus } from '../../src/domain/session-log.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What a trainer is going to write into one directory, and what must come of it. */
export interface TrainedSession {
  /** Relative to the watched folder. */
  readonly path: string;
  /** All files in their final state, by their path in the session. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** The files that must be objects of their own: all but the native ones. */
  readonly companions: ReadonlyMap<string, Buffer>;
  readonly status: SessionStatus;
  /** The id that it asks for: that of session.json, else the directory's name where it is a UUID. */
  readonly id: string | undefined;
  /** To be run one after the other; the last ones end the session. */
  readonly steps: readonly Step[];
}

export type Step = () => Promise<void>;
type FileToWrite = readonly [name: string, bytes: Buffer];

/** What is left open is drawn; a path that is given comes with no id but the one that is given. */
export interface SessionWish {
  readonly path?: string;
  readonly id?: string;
  readonly end?: End;
}

type End = 'completed' | 'failed' | 'cancelled' | '_SUCCESS' | '_FAILED';
const ends: readonly End[] = ['completed', 'failed', 'cancelled', '_SUCCESS', '_FAILED'];
const nativeFiles = new Set(['session.json', 'result.json']);

/**
 * A session of three files, the last of which ends it; as trainers write them: whole, in pieces, or under another name
 * first. The first step leaves stdout.log half-written.
 */
export function planSession(
  random: SeededRandom,
  folder: string,
  number: number,
  wish: SessionWish = {},
): TrainedSession {
  const kind = wish.path === undefined ? random.below(8) : 7;
  const name = wish.path ?? (kind === 0 ? uuid(random) : `run-${String(number).padStart(4, '0')}`);
  const id = wish.id ?? (kind === 1 ? `train-${number}-${random.hex(8)}` : undefined);
  const isNative = id !== undefined || kind < 5;
  const end = wish.end ?? ends[random.below(ends.length)] ?? 'completed';
  const directory = join(folder, name);
  const stdout = textOf(random, number, 6_000);
  const second: FileToWrite = isNative
    ? ['session.json', sessionJson(id, random)]
    : ['logs/metrics.jsonl', textOf(random, number, 6_000)];
  const last = endFile(end, random);
  const files = new Map([['stdout.log', stdout] as const, second, last]);
  const half = 1 + random.below(stdout.length - 1);
  const log = join(directory, 'stdout.log');
  return {
    path: name,
    files,
    companions: new Map([...files].filter(([path]) => !nativeFiles.has(path))),
    status: end === '_SUCCESS' ? 'completed' : end === '_FAILED' ? 'failed' : end,
    id: id ?? (isUuid(name) ? name : undefined),
    steps: [
      () => create(log, stdout.subarray(0, half)),
      ...interleave(random, [
        [() => appendFile(log, stdout.subarray(half))],
        stepsOf(random, directory, second),
      ]),
      ...stepsOf(random, directory, last),
    ],
  };
}

/** All steps of all sessions, those of one in their order, at most `activeMax` sessions at a time. */
export async function train(
  random: SeededRandom,
  sessions: readonly TrainedSession[],
  activeMax: number,
): Promise<void> {
  const waiting = sessions.map(({ steps }) => [...steps]);
  while (waiting.length > 0) {
    const turn = random.below(Math.min(activeMax, waiting.length));
    await waiting[turn]?.shift()?.();
    if (waiting[turn]?.length === 0) waiting.splice(turn, 1);
  }
}

export function uuid(random: SeededRandom): string {
  return [8, 4, 4, 4, 12].map((length) => random.hex(length)).join('-');
}

function isUuid(name: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(name);
}

function textOf(random: SeededRandom, number: number, bytesMax: number): Buffer {
  const lines = [`session ${number} ${random.hex(16)}`];
  const wanted = random.below(bytesMax);
  for (let length = 0; length < wanted; length += 60) {
    lines.push(`{"step":${lines.length},"loss":${random.next().toFixed(6)},"mark":"${random.hex(24)}"}`);
  }
  return Buffer.from(`${lines.join('\n')}\n`);
}

function sessionJson(id: string | undefined, random: SeededRandom): Buffer {
  const config = { epochs: 1 + random.below(20), batchSize: 2 ** random.below(8) };
  return Buffer.from(JSON.stringify({ id, version: '1', user: { username: 'ada' }, config }, null, 2));
}

function endFile(end: End, random: SeededRandom): FileToWrite {
  if (end === '_SUCCESS' || end === '_FAILED') return [end, Buffer.alloc(0)];
  const result = { status: end, metrics: { loss: random.next() }, durationSeconds: random.below(10_000) };
  return ['result.json', Buffer.from(`${JSON.stringify(result)}\n`)];
}

/** One file: at once, appended in pieces, or written elsewhere and renamed into place. */
function stepsOf(random: SeededRandom, directory: string, [name, bytes]: FileToWrite): Step[] {
  const path = join(directory, name);
  const half = random.below(bytes.length + 1);
  switch (bytes.length === 0 ? 0 : random.below(3)) {
    case 1:
      return [() => create(path, bytes.subarray(0, half)), () => appendFile(path, bytes.subarray(half))];
    case 2: {
      const part = `${path}.part`;
      return [
        () => create(part, bytes.subarray(0, half)),
        () => appendFile(part, bytes.subarray(half)),
        () => rename(part, path),
      ];
    }
    default:
      return [() => create(path, bytes)];
  }
}

async function create(path: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}

/** The files of a session grow at the same time. */
function interleave(random: SeededRandom, files: readonly (readonly Step[])[]): Step[] {
  const waiting = files.map((steps) => [...steps]);
  const mixed: Step[] = [];
  while (waiting.length > 0) {
    const turn = random.below(waiting.length);
    const step = waiting[turn]?.shift();
    if (step) mixed.push(step);
    else waiting.splice(turn, 1);
  }
  return mixed;
}
