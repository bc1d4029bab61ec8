import { dlopen } from 'node:ffi';
import { closeSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from './temporary-directory.ts';

const nonBlockingDatagram = 2 | 0o4000;
const messageBytesMax = 65_536;

/** A socket as systemd's, at a path or under an abstract name; what was said so far is read without waiting. */
export async function listenForNotifications(abstract?: string) {
  const address = abstract ?? join(await temporaryDirectory(), 'notify');
  const { socket, bind } = dlopen(null, {
    socket: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
    bind: { arguments: ['int32', 'buffer', 'uint32'], return: 'int32' },
  }).functions;
  const fd = socket(1, nonBlockingDatagram, 0);
  const name = Buffer.from(`\u0001\u0000${address.replace(/^@/, '\0')}${abstract ? '' : '\0'}`, 'latin1');
  if (bind(fd, name, name.length) !== 0) throw new Error(`binding ${address} failed`);
  onTestFinished(() => closeSync(fd));
  const said: string[] = [];
  const read = (): readonly string[] => {
    const buffer = Buffer.alloc(messageBytesMax);
    for (;;) {
      try {
        said.push(buffer.toString('utf8', 0, readSync(fd, buffer)));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return said;
        throw error;
      }
    }
  };
  return { address, said: read };
}
