import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';

const listen = `
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    process.stdout.write(String(server.address().port), () => process.kill(process.pid, 'SIGSTOP'));
  });`;
const fillers = 4;

/**
 * A port where packets are lost: a process that is stopped listens there, and its short queue is full. Gone after the
 * test.
 */
export async function blackHole(): Promise<number> {
  const child = spawn(process.execPath, ['-e', listen], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const port = await new Promise<number>((resolve) =>
    child.stdout.once('data', (text) => resolve(Number(text))),
  );
  for (let n = 0; n < fillers; n++) {
    const filler = connect({ port, host: '127.0.0.1' });
    filler.on('error', () => undefined); // reason: the end of the listener is its end too
    onTestFinished(() => void filler.destroy());
  }
  return port;
}
