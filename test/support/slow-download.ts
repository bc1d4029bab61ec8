import { createServer, type ServerResponse, request as send } from 'node:http';
import { onTestFinished } from 'vitest';

export interface SentBody {
  readonly path: string;
  /** As the client asked. */
  readonly range: string | undefined;
  sentBytes: number;
}

export interface SlowDownload {
  readonly endpoint: string;
  /** Answers with a body, in the order of their requests. */
  readonly bodies: readonly SentBody[];
  /** Bodies go no further than this from now on. */
  holdAfterBytes: number;
}

/** A proxy before an S3 server that counts what it answers, and lets each body through only so far. */
export async function startSlowDownload(upstream: string): Promise<SlowDownload> {
  const to = new URL(upstream);
  const bodies: SentBody[] = [];
  const state = { holdAfterBytes: Number.POSITIVE_INFINITY };
  const pass = async (answer: AsyncIterable<Buffer>, outgoing: ServerResponse, body: SentBody) => {
    for await (const chunk of answer) {
      const allowed = chunk.subarray(0, Math.max(0, state.holdAfterBytes - body.sentBytes));
      body.sentBytes += allowed.length;
      outgoing.write(allowed);
      // The rest never comes: whoever waits for it has to be killed.
      if (allowed.length < chunk.length) return;
    }
    outgoing.end();
  };
  const server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const target = { host: to.hostname, port: to.port, method, path: url, headers };
    const forwarded = send(target, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      const body = { path: (url ?? '').split('?')[0] ?? '', range: headers.range, sentBytes: 0 };
      bodies.push(body);
      pass(answer, outgoing, body).catch(() => outgoing.destroy());
    });
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a listening server has no port');
  return Object.assign(state, { endpoint: `http://127.0.0.1:${address.port}`, bodies });
}
