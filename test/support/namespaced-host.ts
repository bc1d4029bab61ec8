import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestBucket } from './s3-bucket.ts';
import { type Cleanup, type Host, makeHost, toBucket, type Variables } from './trainlogd.ts';

/** Hosts of their own on one machine: each with its own name and its own network, in which nobody else is. */
export interface NamespacedHost extends Host {
  /** Lets no more than so many bytes of one connection through, until `cut`. */
  hold(afterBytes: number): { readonly held: Promise<void>; cut(): void };
}

const entry = join(import.meta.dirname, 'host-process.ts');

/** Undefined where namespaces can be made; else why not. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'network namespaces need root on Linux';
  try {
    execFileSync('unshare', ['--net', '--uts', 'sh', '-c', 'ip link set lo up && hostname gpu'], {
      stdio: 'pipe',
    });
    return undefined;
  } catch (error) {
    return `no network namespace can be made here: ${String(error).split('\n')[0]}`;
  }
}

/** `sharedWith`: the host whose folder it watches; its own without. */
export async function makeNamespacedHost(
  context: Cleanup,
  name: string,
  bucket: TestBucket,
  more: Variables = {},
  sharedWith?: Host,
): Promise<NamespacedHost> {
  const shared = sharedWith && { TRAINLOGD_WATCH_DIRECTORY: sharedWith.folder };
  // On a disk of its own: from a folder on the network no hard link leads there, and none of one host moves a ctime.
  const state = await mkdtemp('/dev/shm/trainlogd-e2e-');
  context.onTestFinished(() => rm(state, { recursive: true, force: true }));
  const variables = { TRAINLOGD_WATCH_SHARED: 'true', TRAINLOGD_STATE_DIRECTORY: state, ...shared };
  const host = await makeHost(context, toBucket(bucket), { ...variables, ...more });
  const { hostname, port } = new URL(bucket.endpoint);
  const socketFile = join(host.base, 's3.socket');
  let limit: { bytes: number; reached: (socket: Socket) => void } | undefined;
  const sockets = new Set<Socket>();
  const gateway = createServer((client) => {
    const server = connect(Number(port), hostname);
    let passed = 0;
    for (const end of [client, server]) {
      sockets.add(end);
      end.on('close', () => sockets.delete(end));
      end.on('error', () => {
        client.destroy();
        server.destroy();
      });
    }
    server.pipe(client);
    client.on('end', () => server.end());
    client.on('data', (bytes) => {
      passed += bytes.length;
      if (limit && passed > limit.bytes) {
        client.pause();
        limit.reached(client);
        server.destroy();
      } else if (!server.write(bytes)) {
        client.pause();
        server.once('drain', () => client.resume());
      }
    });
  });
  gateway.listen(socketFile);
  await once(gateway, 'listening');
  context.onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    gateway.close();
  });
  const setUp = 'ip link set lo up && hostname "$0" && exec "$@"';
  return {
    ...host,
    state,
    folder: sharedWith?.folder ?? host.folder,
    command: [
      'unshare',
      '--net',
      '--uts',
      'sh',
      '-c',
      setUp,
      name,
      process.execPath,
      entry,
      socketFile,
      port,
    ],
    hold(afterBytes) {
      const held = Promise.withResolvers<void>();
      const stuck: Socket[] = [];
      limit = {
        bytes: afterBytes,
        reached: (socket) => {
          stuck.push(socket);
          held.resolve();
        },
      };
      const cut = () => {
        limit = undefined;
        for (const socket of stuck) socket.destroy();
      };
      return { held: held.promise, cut };
    },
  };
}
