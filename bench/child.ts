import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';

export interface Measured {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMb: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

const sampleEveryMs = 10;
const ticksPerSecond = 100;
const longestMs = 15 * 60_000;

/** Nothing of the surrounding environment but what a program needs to start. */
function cleanEnvironment(more: Command['env']): Record<string, string> {
  return { PATH: '/usr/bin:/bin:/usr/sbin', HOME: '/nonexistent', LANG: 'C.UTF-8', ...more };
}

export function start({ program, args, env, cwd }: Command): ChildProcess {
  return spawn(program, args, {
    env: cleanEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
}

/** One program to its end, nothing else under way. Throws, with what it said, when it fails. */
export async function measure(command: Command, acceptedCodes: readonly number[] = [0]): Promise<Measured> {
  const before = childrenCpuSeconds();
  const startedMs = performance.now();
  const child = start(command);
  const peak = samplePeak(child);
  const overdue = setTimeout(() => child.kill('SIGKILL'), longestMs);
  const said = Promise.all([child.stdout, child.stderr].map((stream) => (stream ? text(stream) : '')));
  const code = await exitOf(child);
  const wallSeconds = (performance.now() - startedMs) / 1000;
  clearTimeout(overdue);
  const peakMb = peak();
  const [stdout = '', stderr = ''] = await said;
  if (!acceptedCodes.includes(code ?? -1)) {
    const shown = [command.program, ...command.args].join(' ');
    throw new Error(
      `running ${shown}: it ended with ${code}: ${stderr.trim().split('\n').slice(-8).join('\n')}`,
    );
  }
  return { wallSeconds, cpuSeconds: childrenCpuSeconds() - before, peakMb, stdout, stderr };
}

export function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
}

/** The highest resident memory seen so far; the kernel keeps it, so that only the very last moments can be missed. */
function samplePeak(child: ChildProcess): () => number {
  let peakMb = 0;
  const look = () => {
    peakMb = Math.max(peakMb, memoryOf(child.pid ?? 0).peakMb);
  };
  const timer = setInterval(look, sampleEveryMs);
  look();
  return () => {
    clearInterval(timer);
    return peakMb;
  };
}

export function memoryOf(pid: number): { peakMb: number; nowMb: number } {
  const kb = (name: string, status: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0);
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return { peakMb: (kb('VmHWM', status) * 1024) / 1e6, nowMb: (kb('VmRSS', status) * 1024) / 1e6 };
  } catch {
    return { peakMb: 0, nowMb: 0 }; // reason: it has just ended
  }
}

export function cpuSecondsOf(pid: number): number {
  const [user, system] = cpuFields(`/proc/${pid}/stat`);
  return ((user ?? 0) + (system ?? 0)) / ticksPerSecond;
}

/** Of all children that have ended. */
function childrenCpuSeconds(): number {
  const [, , user, system] = cpuFields('/proc/self/stat');
  return ((user ?? 0) + (system ?? 0)) / ticksPerSecond;
}

/** utime, stime, cutime, cstime. */
function cpuFields(file: string): number[] {
  const stat = readFileSync(file, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).map(Number);
}
