import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { type Bench, type Line, percentile, type Row, rounded } from '../bench.ts';
import { memoryOf } from '../child.ts';
import { makeSessions } from '../files.ts';
import { writeFullJournal } from '../full-journal.ts';
import { type Running, startRunning, until, untilCalm } from '../running.ts';
import type { Sink } from '../sink-process.ts';

/** Below the rate at which pages are refused. */
const everyMs = 25;
/** What is shown may be a second old: asked less often, nothing is remembered. */
const apartMs = 1100;

/** Each answer to its last byte, over a connection that is kept. */
export const pages: Row = {
  name: 'pages',
  title: 'HTTP with 10,000 shipped sessions of 3 files in the journal: answers, and what they cost the rest',
  async run(bench) {
    const count = bench.quick ? 1000 : 10_000;
    const folder = bench.directory('shipped');
    const state = bench.directory('state');
    bench.say(`  making ${count} sessions and their journal`);
    makeSessions(folder, count, { files: 3, fileBytes: 100, ended: true });
    await writeFullJournal(state, folder, [training]);
    const sink = await bench.sink('http');
    const off = await withAgent(bench, { sink, folder, state, listen: 'off' }, async () => []);
    const listen = `127.0.0.1:${await freePort()}`;
    const on = await withAgent(bench, { sink, folder, state, listen }, (asked) =>
      answers(bench, asked, `/sessions/run-${String(count - 1).padStart(6, '0')}`),
    );
    const busy = [
      await whileShipping(bench, sink, listen, false),
      await whileShipping(bench, sink, listen, true),
    ];
    return {
      lines: [...on.found, ...busy],
      notes: [
        `Resident before anybody asked: ${off.calmMb} MB with http.listen off, ${on.calmMb} MB with it on; ${on.endMb} MB after all these answers.`,
      ],
    };
  },
};

const training = {
  source: 'trainer_state.json',
  facts: {
    framework: 'Hugging Face Trainer',
    user: { username: 'ada' },
    config: {
      epochs: 3,
      raw: Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`option_${at}`, at / 7])),
    },
    history: {
      columns: ['step', 'epoch', 'loss', 'eval_loss', 'learning_rate'],
      rows: Array.from({ length: 500 }, (_, at) => [
        at * 10,
        at / 167,
        2.5 / (1 + at / 50),
        null,
        3e-4 / (1 + at),
      ]),
    },
  },
  provenance: {},
};

interface Asked {
  readonly running: Running;
  readonly port: number;
}

async function withAgent<T>(
  bench: Bench,
  at: { sink: Sink; folder: string; state: string; listen: string },
  work: (asked: Asked) => Promise<T>,
): Promise<{ found: T; calmMb: number; endMb: number }> {
  const more = { TRAINLOGD_STATE_DIRECTORY: at.state, TRAINLOGD_HTTP_LISTEN: at.listen };
  const running = startRunning(bench, at.sink, at.folder, more);
  try {
    await setTimeout(5000);
    await untilCalm(running.pid, 5000, 180_000);
    const calmMb = rounded(memoryOf(running.pid).nowMb, 0);
    const found = await work({ running, port: Number(at.listen.split(':')[1]) });
    return { found, calmMb, endMb: rounded(memoryOf(running.pid).nowMb, 0) };
  } finally {
    await running.stop();
  }
}

async function answers(bench: Bench, { port }: Asked, session: string): Promise<Line[]> {
  const lines: Line[] = [];
  for (const path of ['/', '/api/status', '/metrics', session]) {
    const often = bench.quick ? 40 : 100 * bench.rounds;
    lines.push(lineOf(path, '40 a second', await series(port, path, often, everyMs)));
    const seldom = bench.quick ? 5 : 15 * bench.rounds;
    lines.push(lineOf(path, 'once a second', await series(port, path, seldom, apartMs)));
  }
  return lines;
}

/** The page is asked for 40 times a second, or not at all, while many sessions are sent. */
async function whileShipping(bench: Bench, sink: Sink, listen: string, isAsked: boolean): Promise<Line> {
  const count = bench.quick ? 200 : 2000;
  const folder = bench.directory('to-ship');
  makeSessions(folder, count, { files: 3, fileBytes: 1000, ended: true });
  await sink.reset();
  const running = startRunning(bench, sink, folder, { TRAINLOGD_HTTP_LISTEN: listen });
  const port = Number(listen.split(':')[1]);
  const over = new AbortController();
  const times: number[] = [];
  const asking = isAsked ? askOnAndOn(port, times, over.signal) : Promise.resolve();
  // Three files, a marker and a log each.
  const arrived = async () => ((await sink.report()).objects >= count * 5 ? performance.now() : undefined);
  const doneMs = await until(running, 'all sessions', arrived, 600_000, 50);
  over.abort();
  await asking;
  await running.stop();
  const seconds = (doneMs - running.startedMs) / 1000;
  const what = `${count} sessions shipped in ${rounded(seconds)} s`;
  return isAsked ? lineOf('/', what, times) : { path: 'none', asked: what, answers: 0 };
}

async function askOnAndOn(port: number, times: number[], signal: AbortSignal): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  while (!signal.aborted) {
    // Not there yet.
    const found = await ask(agent, port, '/').catch(() => undefined);
    if (found?.status === 200) times.push(found.ms);
    await setTimeout(everyMs);
  }
  agent.destroy();
}

async function series(port: number, path: string, count: number, pauseMs: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  for (let at = 0; at < count; at++) {
    await setTimeout(pauseMs);
    const { status, ms } = await ask(agent, port, path);
    if (status !== 200) throw new Error(`asking for ${path}: the answer is ${status}`);
    times.push(ms);
  }
  agent.destroy();
  return times;
}

async function ask(agent: Agent, port: number, path: string): Promise<{ status: number; ms: number }> {
  const startedMs = performance.now();
  const sent = request({ agent, host: '127.0.0.1', port, path });
  sent.end();
  const [answer] = await once(sent, 'response');
  answer.resume();
  await once(answer, 'end');
  return { status: answer.statusCode, ms: performance.now() - startedMs };
}

function lineOf(path: string, asked: string, times: readonly number[]): Line {
  return {
    path: path.replace(/run-.*/, 'ID'),
    asked,
    answers: times.length,
    'p50 ms': rounded(percentile(times, 0.5)),
    'p99 ms': rounded(percentile(times, 0.99)),
    'worst ms': rounded(Math.max(...times)),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
