import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Edge } from '../../src/commands/edge.ts';
import { ship } from '../../src/commands/ship.ts';

/**
 * What runs in the network namespace of a host that test/support/namespaced-host.ts makes: `trainlogd run` with leases
 * of seconds, and the way to the S3 server, which leads through a socket file because nothing else leads out of here.
 */
const [socketFile = '', port = ''] = process.argv.slice(2);

const wayOut = createServer((client) => {
  const server = connect(socketFile);
  client.pipe(server).pipe(client);
  for (const end of [client, server])
    end.on('error', () => {
      client.destroy();
      server.destroy();
    });
});
wayOut.listen(Number(port), '127.0.0.1');
await once(wayOut, 'listening');

const edge: Edge = {
  env: process.env,
  cwd: process.cwd(),
  pid: process.pid,
  isRoot: true,
  homeDirectory: process.env['HOME'],
  stderrIsTerminal: false,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  onEndSignal: (listener) => {
    process.on('SIGTERM', listener);
    return () => process.off('SIGTERM', listener);
  },
  onReload: () => () => undefined,
};

process.exitCode = await ship(
  edge,
  {},
  { directory: undefined, stays: true, leases: { leaseMs: 3_000, beatMs: 300 } },
);
wayOut.close();
