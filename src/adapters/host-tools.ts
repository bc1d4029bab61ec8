import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import type { Clock } from '../ports/clock.ts';
import type { HostTools, HttpAnswer, HttpRequest } from '../probes/host-tools.ts';
import { errnoOf } from './errno.ts';

export interface HostToolsOptions {
  readonly clock: Clock;
  readonly hostName: string;
  /** Where programs are looked for. */
  readonly path: string;
  /** Tests wait for less. */
  readonly limits?: Partial<HostToolLimits>;
}

export interface HostToolLimits {
  readonly runMs: number;
  readonly requestMs: number;
}

const defaultLimits: HostToolLimits = { runMs: 5_000, requestMs: 2_000 };
const outputBytesMax = 256 * 1024;
const answerBytesMax = 256 * 1024;
const readBytesMax = 4096;

export function createHostTools({ clock, hostName, path, limits }: HostToolsOptions): HostTools {
  const { runMs, requestMs } = { ...defaultLimits, ...limits };
  /** Killed, and not gone: a driver that hangs keeps its processes. No second one is started beside such a one. */
  const stuck = new Set<string>();
  return {
    hostName,
    read: readBeginning,

    async run(program, args) {
      if (stuck.has(program)) return undefined;
      const child = spawnQuietly(program, args, path);
      if (!child) return undefined;
      stuck.add(program);
      return await withTimeLimit(clock, runMs, (signal) => {
        const gone = () => void stuck.delete(program);
        child.once('exit', gone).once('error', gone);
        return outputOf(child, signal);
      });
    },

    request: (request) =>
      isAllowed(request.url)
        ? withTimeLimit(clock, requestMs, (signal) => answerTo(request, signal, requestMs))
        : Promise.resolve({ problem: 'without TLS only the metadata service of a cloud is asked' }),
  };
}

type Child = ReturnType<typeof spawn>;

/** Without our variables: nothing that stands there is its business. */
function spawnQuietly(program: string, args: readonly string[], path: string): Child | undefined {
  try {
    const env = { PATH: path, LC_ALL: 'C' };
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
    child.unref();
    return child;
  } catch {
    return undefined; // reason: no memory for a process now; what is absent is fine
  }
}

function outputOf(child: Child, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (text: string | undefined): void => {
      child.kill('SIGKILL');
      child.stdout?.destroy();
      resolve(text);
    };
    child.stdout?.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > outputBytesMax) end(undefined);
    });
    child.once('error', () => end(undefined));
    child.once('close', (code) => end(code === 0 ? Buffer.concat(chunks).toString('utf8') : undefined));
    signal.addEventListener('abort', () => end(undefined), { once: true });
  });
}

function answerTo(
  { method, url, headers }: HttpRequest,
  signal: AbortSignal,
  limitMs: number,
): Promise<HttpAnswer> {
  return new Promise((resolve) => {
    const send = url.startsWith('https:') ? requestTls : requestPlain;
    // No agent: nothing of it stays open. Redirects are answers like others.
    const request = send(url, { method, headers, agent: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        chunks.push(chunk);
        if (bytes <= answerBytesMax) return;
        resolve({ problem: `it answers with more than ${answerBytesMax} bytes` });
        response.destroy();
      });
      response.once('error', failed);
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    const failed = (error: Error): void =>
      resolve({
        problem: signal.aborted ? `no answer within ${limitMs} ms` : `no answer, ${errnoOf(error)}`,
      });
    request.once('error', failed);
    request.end();
  });
}

async function withTimeLimit<T>(
  clock: Clock,
  limitMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const done = new AbortController();
  void clock.sleep(limitMs, done.signal).then(() => {
    if (!done.signal.aborted) late.abort();
  });
  try {
    return await work(late.signal);
  } finally {
    done.abort();
  }
}

/** TLS, or an address of the machine itself or of its link (RFC 3927, and EC2's metadata by IPv6). */
function isAllowed(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:') return true;
  return protocol === 'http:' && /^(?:169\.254|127\.\d+)\.\d+\.\d+$|^\[fd00:ec2::254\]$/.test(hostname);
}

async function readBeginning(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(readBytesMax), 0, readBytesMax, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return undefined; // reason: a machine without the file says nothing by it
  }
}
