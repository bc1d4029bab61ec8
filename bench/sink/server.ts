import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { BadDigest } from './body.ts';
import { Objects } from './objects.ts';
import { Refusal, refuse, reply, S3Calls, type S3Request } from './requests.ts';

/**
 * An S3 server that forgets large bodies, in a process of its own: `node sink/server.ts [KEY_FILE CERTIFICATE_FILE]`.
 * Prints its port. `GET /-/report` says what arrived since the last `POST /-/reset[?verify&etags]`, which also empties it.
 */
let objects = new Objects();
let calls = new S3Calls(objects);
let counts: Record<string, number> = {};
let receivedBytes = 0;
let cpu = process.cpuUsage();

async function handle(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
  const url = new URL(incoming.url ?? '/', 'http://sink');
  const [, bucket = '', ...rest] = url.pathname.split('/');
  const key = rest.map(decodeURIComponent).join('/');
  const request: S3Request = { incoming, answer, bucket, key, query: url.searchParams };
  if (bucket === '-') return control(request);
  const name = nameOf(request);
  counts[name] = (counts[name] ?? 0) + 1;
  receivedBytes += Number(incoming.headers['content-length'] ?? 0);
  try {
    await calls.serve(request);
  } catch (error) {
    if (answer.headersSent || answer.destroyed) return;
    refuse(request, error instanceof BadDigest ? new Refusal(400, 'BadDigest', error.message) : error);
  }
}

function nameOf({ incoming, query, key }: S3Request): string {
  const { method } = incoming;
  if (method === 'PUT')
    return query.has('partNumber') ? 'UploadPart' : key === '' ? 'PutBucket' : 'PutObject';
  if (method === 'POST') return query.has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload';
  if (method === 'GET') return key === '' ? 'List' : 'GetObject';
  return method === 'HEAD' ? 'Head' : 'Delete';
}

function control(request: S3Request): void {
  if (request.incoming.method === 'POST') {
    objects = new Objects();
    calls = new S3Calls(objects);
    calls.sums = { verify: request.query.has('verify'), etags: request.query.has('etags') };
    counts = {};
    receivedBytes = 0;
    cpu = process.cpuUsage();
    reply(request, 204);
    return;
  }
  if (request.key === 'object') {
    const object = objects.get(request.query.get('key') ?? '');
    reply(request, 200, object?.body ?? Buffer.alloc(0));
    return;
  }
  const { user, system } = process.cpuUsage(cpu);
  const report = {
    requests: counts,
    objects: objects.count,
    objectBytes: objects.bytes,
    receivedBytes,
    openUploads: objects.uploads.size,
    cpuSeconds: (user + system) / 1e6,
  };
  reply(request, 200, JSON.stringify(report));
}

const [keyFile, certificateFile] = process.argv.slice(2);
const listener = (incoming: IncomingMessage, answer: ServerResponse): void => {
  void handle(incoming, answer);
};
const server =
  keyFile === undefined || certificateFile === undefined
    ? createServer(listener)
    : createTlsServer({ key: readFileSync(keyFile), cert: readFileSync(certificateFile) }, listener);
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
// Whoever started it is gone: so is the sink.
process.stdin.resume().on('end', () => process.exit(0));
