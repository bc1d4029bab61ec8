import { openSync, readdirSync, read as readFile, readFileSync, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * The limit: files to the sink by bare PUT, without signatures, checksums, or a library. `raw-put.ts ENDPOINT PATH PARALLEL
 * [CA_FILE]`: a file goes in pieces of 8 MiB, of a directory every file below it goes whole.
 */
const pieceBytes = 8 * 1024 * 1024;
const read = promisify(readFile);
const [endpoint = '', path = '', parallel = '4', authorityFile] = process.argv.slice(2);
const isTls = endpoint.startsWith('https');
const connections = { keepAlive: true, maxSockets: Number(parallel) };
const agent = isTls
  ? new TlsAgent({
      ...connections,
      ...(authorityFile === undefined ? {} : { ca: readFileSync(authorityFile) }),
    })
  : new Agent(connections);

function put(name: string, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = (isTls ? tlsRequest : request)(
      `${endpoint}/raw/${name}`,
      { method: 'PUT', agent, headers: { 'content-length': body.length } },
      (answer) => {
        answer.resume();
        answer.once('end', () =>
          answer.statusCode === 200 ? resolve() : reject(new Error(`PUT ${name}: ${answer.statusCode}`)),
        );
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}

async function inParallel(worker: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: Number(parallel) }, worker));
}

async function sendFile(file: string): Promise<void> {
  const { size } = statSync(file);
  const fd = openSync(file, 'r');
  let position = 0;
  await inParallel(async () => {
    const buffer = Buffer.allocUnsafeSlow(pieceBytes);
    while (position < size) {
      const from = position;
      position += pieceBytes;
      const { bytesRead } = await read(fd, buffer, 0, Math.min(pieceBytes, size - from), from);
      await put(`piece-${from}`, buffer.subarray(0, bytesRead));
    }
  });
}

async function sendDirectory(directory: string): Promise<void> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  let next = 0;
  await inParallel(async () => {
    for (let file = files[next++]; file !== undefined; file = files[next++]) {
      await put(`file-${next}`, readFileSync(file));
    }
  });
}

if (statSync(path).isDirectory()) await sendDirectory(path);
else await sendFile(path);
agent.destroy();
