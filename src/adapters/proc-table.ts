import type { BigIntStats } from 'node:fs';
import { open, readdir, readFile, readlink, stat } from 'node:fs/promises';
import { constants, getPriority } from 'node:os';
import type { ProcessIdentity, ProcessTable } from '../ports/process-table.ts';
import { pickVariables } from '../probes/variables-text.ts';
import { errnoOf, isLimit } from './errno.ts';
import { createProcessLooks, type ProcessLook } from './process-looks.ts';
import { systemClock } from './system-time.ts';

/** USER_HZ, in which /proc gives times: 100 on every architecture that Node runs on. */
const ticksPerSecond = 100;
const environmentBytesMax = 256 * 1024;

/** Of a process that is not in view: whether it lives is not known. */
type Look = ProcessLook | 'unknown';

/**
 * The processes in view, from /proc (proc(5)). Without /proc there are none. What vanishes or may not be read while
 * it is looked at (other users' open files) is left out: "nobody holds it" always means "nobody in view". Where /proc hides
 * the processes of others, `lookAtHidden` is asked for them.
 */
export function createProcessTable(
  procDirectory = '/proc',
  lookAtHidden = createProcessLooks({ monotonicMs: () => systemClock.monotonicMs() }),
): ProcessTable {
  const text = async (path: string): Promise<string> => {
    try {
      return await readFile(`${procDirectory}/${path}`, 'latin1');
    } catch (error) {
      if (isLimit(errnoOf(error))) throw error;
      return ''; // reason: gone, hidden, or no /proc: not in view
    }
  };

  async function lookAt(pid: number): Promise<Look> {
    const [status, stat] = [await text(`${pid}/status`), await text(`${pid}/stat`)];
    if (stat !== '') return { stat, nsPid: /^NSpid:.*$/m.exec(status)?.[0] ?? '' };
    // Somebody has always the number 1: where it is not to be seen, others are neither.
    const isHiding = (await text('1/stat')) === '' && (await text('stat')) !== '';
    if (!isHiding || isUnused(pid)) return { stat, nsPid: '' };
    return (await lookAtHidden(pid)) ?? 'unknown';
  }

  async function identify(pid: number): Promise<ProcessIdentity | 'unknown' | undefined> {
    const [bootTime, bootId, own] = await Promise.all([
      text('stat'),
      text('sys/kernel/random/boot_id'),
      linkOf(`${procDirectory}/self/ns/pid`),
    ]);
    const look = await lookAt(pid);
    if (look === 'unknown') return look;
    const fields = statFields(look.stat);
    const bootedAtSeconds = /^btime (\d+)$/m.exec(bootTime)?.[1];
    if (fields === undefined || bootedAtSeconds === undefined || own === undefined || isDead(fields))
      return undefined;
    // A second number is its own idea of its pid: it lives in a container below us, and a pid written there is another.
    if (!/^NSpid:\t\d+$/.test(look.nsPid)) return undefined;
    return {
      pid,
      startTicks: fields.startTicks,
      startedAtMs: Number(bootedAtSeconds) * 1000 + (Number(fields.startTicks) / ticksPerSecond) * 1000,
      bootId: bootId.trim(),
      pidNamespace: own,
    };
  }

  return {
    identify: (pid) =>
      unlessAtLimit(async () => {
        const found = await identify(pid);
        return found === 'unknown' ? undefined : found;
      }, undefined),

    /** False only where it is known: another boot, or our own namespace shows it gone. What is out of view may live. */
    isAlive: (identity) =>
      unlessAtLimit(async () => {
        const [bootId, namespace] = await Promise.all([
          text('sys/kernel/random/boot_id'),
          linkOf(`${procDirectory}/self/ns/pid`),
        ]);
        if (bootId === '' || namespace === undefined) return true;
        if (bootId.trim() !== identity.bootId) return false;
        if (namespace !== identity.pidNamespace) return true;
        const found = await identify(identity.pid);
        return found === 'unknown' || found?.startTicks === identity.startTicks;
      }, true),

    variables: (identity, names) =>
      unlessAtLimit(async () => {
        const bytes = await beginningOf(`${procDirectory}/${identity.pid}/environ`, environmentBytesMax);
        // Only now: a number that was given to another process meanwhile names that one's.
        const found = await identify(identity.pid);
        const isSame = found !== 'unknown' && found?.startTicks === identity.startTicks;
        if (bytes === undefined || !isSame) return undefined;
        const picked = pickVariables(bytes, names, {
          separator: 0,
          complete: bytes.length < environmentBytesMax,
        });
        bytes.fill(0);
        return picked;
      }, undefined),

    allHeldOpen: (max) =>
      unlessAtLimit(async () => {
        const open = new Set<string>();
        for await (const files of openByProcess(procDirectory)) {
          for (const file of files) open.add(file);
          if (open.size > max) return undefined;
        }
        return open;
      }, undefined),

    /** All of them where it cannot be told: what may be held open is not ended or deleted. */
    heldOpen: (files) =>
      unlessAtLimit(async () => {
        const held = new Set<string>();
        for await (const open of openByProcess(procDirectory)) {
          for (const file of open) if (files.has(file)) held.add(file);
          if (held.size === files.size) break;
        }
        return held;
      }, files),
  };
}

/**
 * Nobody bears the number, hidden or not: everybody may ask for anybody's priority. Somebody who does may be another
 * process by now, a thread, or one of a container, so that the opposite says nothing.
 */
function isUnused(pid: number): boolean {
  try {
    getPriority(pid);
    return false;
  } catch (error) {
    return error instanceof Error && 'errno' in error && error.errno === -constants.errno.ESRCH;
  }
}

/** Without a descriptor nothing can be seen, which is not the same as seeing nothing. */
async function unlessAtLimit<T>(look: () => Promise<T>, unknown: T): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (isLimit(errnoOf(error))) return unknown;
    throw error;
  }
}

interface StatFields {
  readonly state: string;
  readonly threads: number;
  readonly startTicks: string;
}

/** Fields 3, 20 and 22; field 2 is the program's name in parentheses and may hold any character, `)` too. */
function statFields(line: string): StatFields | undefined {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state, threads, startTicks] = [fields[0], fields[17], fields[19]];
  if (state === undefined || threads === undefined || startTicks === undefined) return undefined;
  return { state, threads: Number(threads), startTicks };
}

/** Killed and not yet waited for; a leader whose other threads go on counts as alive. */
function isDead({ state, threads }: StatFields): boolean {
  return state === 'X' || (state === 'Z' && threads <= 1);
}

/** Of each process in view but our own. */
async function* openByProcess(procDirectory: string): AsyncGenerator<readonly string[]> {
  const ownPid = await linkOf(`${procDirectory}/self`);
  for (const pid of await namesIn(procDirectory))
    if (/^\d+$/.test(pid) && pid !== ownPid) yield await openFilesOf(`${procDirectory}/${pid}/fd`);
}

/** `dev:ino` of each regular file that is open. The link's text spares a stat of pipes and sockets. */
async function openFilesOf(descriptors: string): Promise<readonly string[]> {
  const open: string[] = [];
  for (const descriptor of await namesIn(descriptors)) {
    const path = `${descriptors}/${descriptor}`;
    const target = await linkOf(path);
    if (target === undefined || !target.startsWith('/') || target.startsWith('/dev/')) continue;
    const found = await statOf(path);
    if (found?.isFile() === true) open.push(`${found.dev}:${found.ino}`);
  }
  return open;
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isLimit(errnoOf(error))) throw error;
    return []; // reason: gone meanwhile, another user's, or no /proc
  }
}

/** Undefined where it may not be read; /proc tells no sizes. */
async function beginningOf(path: string, bytesMax: number): Promise<Buffer | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      const buffer = Buffer.allocUnsafe(bytesMax);
      let filled = 0;
      while (filled < bytesMax) {
        const { bytesRead } = await file.read(buffer, filled, bytesMax - filled, null);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return buffer.subarray(0, filled);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isLimit(errnoOf(error))) throw error;
    return undefined; // reason: gone meanwhile, another user's, or no /proc
  }
}

async function linkOf(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch {
    return undefined; // reason: as in namesIn
  }
}

async function statOf(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true });
  } catch {
    return undefined; // reason: as in namesIn
  }
}
