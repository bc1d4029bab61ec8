import { closeSync, writeSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { errnoOf } from './errno.ts';
import { systemClock } from './system-time.ts';

/** As Linux numbers them on x64 and arm64: unix(7), socket(2). */
const addressFamilyUnix = 1;
const datagram = 2;
const closeOnExec = 0o2000000;
const nonBlocking = 0o4000;
const socketType = datagram | closeOnExec | nonBlocking;
const pathBytesMax = 107;

/** systemd reads late when it is busy with itself, as after daemon-reexec. */
const fullMsMax = 10_000;
const againMs = 100;

/** Node has no datagram sockets of the kind, and its foreign functions are in no version before 26.1. */
export const hasNotifySocket = isBuiltin('node:ffi');

/**
 * One message of sd_notify(3), sent by this process itself: what a child says for its parent counts only with
 * `NotifyAccess=all`, which lets every program that the service starts speak for it. The socket is made anew for each
 * message, so there is nothing to go stale. Resolves with what went wrong, if something did.
 */
export async function sendNotification(address: string, message: string): Promise<string | undefined> {
  const fd = connected(address);
  if (typeof fd === 'string') return fd;
  try {
    for (let waitedMs = 0; ; waitedMs += againMs) {
      const problem = written(fd, message);
      if (problem !== 'EAGAIN' || waitedMs >= fullMsMax) return problem;
      await systemClock.sleep(againMs);
    }
  } finally {
    closeSync(fd);
  }
}

function connected(address: string): number | string {
  const name = unixAddress(address);
  if (name === undefined)
    return `it is not an address of at most ${pathBytesMax} bytes that begins with / or @`;
  const functions = cLibrary();
  if (typeof functions === 'string') return functions;
  const { socket, connect } = functions;
  const fd = socket(addressFamilyUnix, socketType, 0);
  if (fd < 0) return 'no socket was to be had';
  if (connect(fd, name, name.length) === 0) return fd;
  closeSync(fd);
  return 'nobody listens there, or the service may not ask';
}

let opened: ReturnType<typeof openCLibrary> | undefined;

/** Opened once for all messages: each opening costs some kilobytes that closing does not give back (Node 26.10). */
function cLibrary() {
  try {
    opened ??= openCLibrary();
    return opened.functions;
  } catch (error) {
    return `functions of the C library cannot be called here (${errnoOf(error)})`;
  }
}

/** Of the one that this process runs with. */
function openCLibrary() {
  const { dlopen }: typeof import('node:ffi') = createRequire(import.meta.url)('node:ffi');
  return dlopen(null, {
    socket: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
    connect: { arguments: ['int32', 'buffer', 'uint32'], return: 'int32' },
  });
}

/** `struct sockaddr_un`; a name that begins with @ is an abstract one, whose first byte is 0 and whose length counts. */
function unixAddress(address: string): Buffer | undefined {
  const path = Buffer.from(address);
  const isAbstract = address.startsWith('@');
  if (path.length > pathBytesMax || !(isAbstract || address.startsWith('/'))) return undefined;
  if (isAbstract) path[0] = 0;
  const family = Buffer.alloc(2);
  new Uint16Array(family.buffer, family.byteOffset, 1)[0] = addressFamilyUnix;
  return Buffer.concat([family, path, ...(isAbstract ? [] : [Buffer.of(0)])]);
}

/** write(2) on a connected datagram socket sends one message, whole or not at all. */
function written(fd: number, message: string): string | undefined {
  try {
    writeSync(fd, message);
    return undefined;
  } catch (error) {
    return errnoOf(error);
  }
}
