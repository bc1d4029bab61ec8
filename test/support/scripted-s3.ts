import { createServer, type IncomingHttpHeaders } from 'node:http';
import { onTestFinished } from 'vitest';

export interface ScriptedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** `hang`: the request is read and never answered. */
export type ScriptedAnswer =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | 'hang'
  | 'reset';

/** A server on 127.0.0.1 for what the real one cannot be made to answer; gone after the test. */
export async function scriptedS3(
  answer: (request: ScriptedRequest) => ScriptedAnswer,
): Promise<{ endpoint: string; requests: ScriptedRequest[] }> {
  const requests: ScriptedRequest[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const { method = '', url = '', headers } = incoming;
    const request = { method, url, headers, body };
    requests.push(request);
    const answered = answer(request);
    if (answered === 'reset') incoming.socket.destroy();
    else if (answered !== 'hang') outgoing.writeHead(answered.status, answered.headers).end(answered.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a listening server has no port');
  return { endpoint: `http://127.0.0.1:${address.port}`, requests };
}

export function isList({ method, url }: ScriptedRequest): boolean {
  return method === 'GET' && url.includes('list-type=2');
}

export function listAnswer(...keys: string[]): ScriptedAnswer {
  const contents = keys.map((key) => `<Contents><Key>${encodeURIComponent(key)}</Key></Contents>`).join('');
  return { status: 200, body: `<ListBucketResult><Name>bucket</Name>${contents}</ListBucketResult>` };
}

export function errorAnswer(status: number, code: string, more = '', headers = {}): ScriptedAnswer {
  return {
    status,
    headers,
    body: `<Error><Code>${code}</Code><Message>told by a test</Message>${more}</Error>`,
  };
}
