import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/system-time.ts';
import { plain } from '../../src/http/answer.ts';
import { HttpServer } from '../../src/http/server.ts';
import type { EventMap } from '../../src/ports/events.ts';
import { eventually } from '../support/eventually.ts';
import { addSession, type ServedPage, serve, using } from '../support/http-server.ts';

interface Got {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

function ask(
  served: Pick<ServedPage, 'port'>,
  path: string,
  options: { host?: string; method?: string; address?: string } = {},
): Promise<Got> {
  const { host = 'localhost', method = 'GET', address = '127.0.0.1' } = options;
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: address, port: served.port, path, method, agent: false, headers: { Host: host } },
      (answer) => {
        let body = '';
        answer.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
      },
    );
    sent.on('error', reject).end();
  });
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

const ended = (socket: Socket) => (socket.closed ? undefined : once(socket, 'close'));

describe('what is served', () => {
  test.each([
    ['/healthz', 200, 'text/plain; charset=utf-8'],
    ['/readyz', 200, 'text/plain; charset=utf-8'],
    ['/metrics', 200, 'text/plain; version=0.0.4; charset=utf-8'],
    ['/api/status', 200, 'application/json; charset=utf-8'],
    ['/', 200, 'text/html; charset=utf-8'],
    ['/?page=2', 200, 'text/html; charset=utf-8'],
    ['/?page=-1&page=%00', 200, 'text/html; charset=utf-8'],
    ['/sessions/run-1', 200, 'text/html; charset=utf-8'],
    ['/sessions/nobody', 404, 'text/html; charset=utf-8'],
    ['/sessions/..%2f..%2fetc', 404, 'text/plain; charset=utf-8'],
    ['/sessions/%3Cscript%3E', 404, 'text/plain; charset=utf-8'],
    ['/nothing', 404, 'text/plain; charset=utf-8'],
    ['//evil.example/', 404, 'text/plain; charset=utf-8'],
    ['*', 400, 'text/plain; charset=utf-8'],
    [`/${'a'.repeat(4000)}`, 400, 'text/plain; charset=utf-8'],
  ])('%s answers %i', async (path, status, type) => {
    await using(async (served) => {
      addSession(served.journal, { id: 'run-1' });
      const got = await ask(served, path);
      expect([got.status, got.headers['content-type']]).toEqual([status, type]);
    });
  });

  test('every answer forbids scripts of others, framing and guessing, and is not kept', async (context) => {
    const served = await serve(context);
    for (const path of ['/', '/nothing', '/metrics', '/api/status']) {
      const { headers } = await ask(served, path);
      expect(headers['content-security-policy']).toBe(
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
      );
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
        'cache-control': 'no-store',
      });
    }
  });

  test('style and script have names of their content, and are kept for ever', async (context) => {
    const served = await serve(context);
    const { body } = await ask(served, '/');
    const assets = [...body.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path = '']) => path);
    expect(assets.length).toBe(2);
    for (const path of assets) {
      const { status, headers } = await ask(served, path);
      expect(status).toBe(200);
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    }
  });

  test('the page has no script, style or handler in line', async (context) => {
    const served = await serve(context);
    addSession(served.journal, { id: 'run-1', facts: { framework: 'f' }, files: ['a'] });
    for (const path of ['/', '/sessions/run-1']) {
      const { body } = await ask(served, path);
      expect(body).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:/i);
    }
  });

  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])('%s is refused', async (method) => {
    await using(async (served) => {
      const got = await ask(served, '/', { method });
      expect([got.status, got.headers.allow]).toEqual([405, 'GET, HEAD']);
    });
  });

  test('HEAD says what GET says, without the body', async (context) => {
    const served = await serve(context);
    const [head, get] = [await ask(served, '/healthz', { method: 'HEAD' }), await ask(served, '/healthz')];
    expect([head.status, head.body]).toEqual([200, '']);
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
  });

  test('readiness says what is missing', async (context) => {
    const served = await serve(context);
    const { readiness } = served;
    served.readiness = { ...readiness, folderState: 'missing' };
    expect(await ask(served, '/readyz')).toMatchObject({
      status: 503,
      body: 'not ready: the folder "/data/runs" is missing\n',
    });
    served.readiness = { ...readiness, hasLooked: false };
    expect((await ask(served, '/readyz')).status).toBe(503);
    served.readiness = { ...readiness, journalProblem: 'the journal cannot be read: EIO' };
    expect((await ask(served, '/readyz')).body).toContain('EIO');
    expect((await ask(served, '/healthz')).status).toBe(200);
  });

  test('what cannot be shown is told in the log, not to the caller, and nothing ends by it', async (context) => {
    const served = await serve(context);
    Object.defineProperty(served.journal, 'recentSessions', {
      value: () => {
        throw new Error('the cause');
      },
    });
    const got = await ask(served, '/');
    expect(got.status).toBe(500);
    expect(got.body).not.toContain('the cause');
    expect(served.events).toContainEqual({
      name: 'http.failed',
      fields: { target: '/', cause: 'the cause' },
    });
    expect((await ask(served, '/healthz')).status).toBe(200);
  });
});

describe('who may see the pages', () => {
  test.each([
    ['localhost', 200],
    ['localhost:9464', 200],
    ['LOCALHOST.', 200],
    ['trainlogd.localhost:80', 200],
    ['127.0.0.1:9464', 200],
    ['[::1]:9464', 200],
    ['192.0.2.7', 200],
    ['gpu-7.cluster.example', 200],
    ['GPU-7', 200],
    ['evil.example', 421],
    ['localhost.evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['cluster.example', 421],
    ['gpu-7.evil.example', 421],
    ['[::1].evil.example', 421],
    ['localhost@evil.example', 421],
  ])('asked for as %j: %i', async (host, status) => {
    await using(
      async (served) => {
        for (const path of ['/', '/api/status'])
          expect((await ask(served, path, { host })).status).toBe(status);
        for (const path of ['/healthz', '/readyz', '/metrics'])
          expect((await ask(served, path, { host })).status).toBe(200);
      },
      { hostName: 'gpu-7.cluster.example' },
    );
  });

  test.each([
    ['trainlogd', 200],
    ['trainlogd:9464', 200],
    ['trainlogd.ml.svc', 200],
    ['trainlogd.ml.svc.cluster.local.:9464', 200],
    ['trainlogd.ml', 421],
    ['trainlogd.ml.svc.evil.example', 421],
    ['ml.svc', 421],
    ['evil.trainlogd.ml.svc.cluster.local.evil.example', 421],
  ])('with http.pages: all, as the Service %j of a cluster: %i', async (host, status) => {
    await using(async (served) => expect((await ask(served, '/', { host })).status).toBe(status), {
      hostName: 'trainer-0',
      pages: 'all',
    });
    await using(async (served) => expect((await ask(served, '/', { host })).status).toBe(421), {
      hostName: 'trainer-0',
    });
  });

  const elsewhere = Object.values(networkInterfaces())
    .flat()
    .find((one) => one && !one.internal && one.family === 'IPv4')?.address;

  test('on another address than loopback: health and metrics, and the key that opens the rest', async (context) => {
    if (elsewhere === undefined) context.skip('this host has no address but loopback');
    const served = await serve(context, { address: '0.0.0.0' });
    const from = { address: elsewhere ?? '', host: 'localhost' };
    for (const path of ['/healthz', '/readyz', '/metrics'])
      expect((await ask(served, path, from)).status).toBe(200);
    for (const path of ['/', '/api/status', '/sessions/x', '/nothing']) {
      const got = await ask(served, path, from);
      expect(got.status).toBe(403);
      expect(got.body).toContain('http.pages');
    }
    expect((await ask(served, '/')).status).toBe(200);
  });

  test('with http.pages: all from there, too', async (context) => {
    if (elsewhere === undefined) context.skip('this host has no address but loopback');
    const served = await serve(context, { address: '0.0.0.0', pages: 'all' });
    const address = elsewhere ?? '';
    expect((await ask(served, '/', { address, host: address })).status).toBe(200);
    expect((await ask(served, '/', { address, host: 'evil.example' })).status).toBe(421);
  });
});

describe('a flood', () => {
  test('of pages is answered at a bounded rate, and health beside it', async (context) => {
    let nowMs = 0;
    const served = await serve(context, { monotonicMs: () => nowMs });
    const statuses = async (count: number) => {
      const answers = await Promise.all(Array.from({ length: count }, () => ask(served, '/')));
      const refused = answers.filter(({ status }) => status === 429);
      for (const { headers } of refused) expect(headers['retry-after']).toBe('1');
      return { shown: answers.filter(({ status }) => status === 200).length, refused: refused.length };
    };
    for (let round = 0; round < 4; round++) expect(await statuses(25)).toEqual({ shown: 25, refused: 0 });
    expect(await statuses(25)).toEqual({ shown: 0, refused: 25 });
    expect((await ask(served, '/healthz')).status).toBe(200);
    nowMs += 200;
    expect(await statuses(25)).toEqual({ shown: 10, refused: 15 });
  });

  test('of connections is bounded, and who comes last is served', async (context) => {
    const served = await serve(context, { limits: { connectionsMax: 8 } });
    const sockets = await Promise.all(Array.from({ length: 40 }, () => open(served.port)));
    expect((await ask(served, '/healthz')).status).toBe(200);
    await eventually(() => sockets.filter(({ closed }) => closed).length >= 33);
    for (const socket of sockets) socket.destroy();
  });

  test('of half requests takes no place for long', async (context) => {
    const served = await serve(context, { limits: { headersTimeoutMs: 100, lookEveryMs: 50 } });
    const sockets = await Promise.all(Array.from({ length: 10 }, () => open(served.port)));
    for (const socket of sockets) {
      socket.resume();
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nX-');
    }
    await Promise.all(sockets.map(ended));
    expect((await ask(served, '/healthz')).status).toBe(200);
  });

  test('of requests whose answers nobody reads makes way', async (context) => {
    const served = await serve(context, { limits: { connectionsMax: 1 } });
    const socket = await open(served.port);
    socket.pause();
    socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(900));
    expect((await ask(served, '/healthz')).status).toBe(200);
    socket.resume();
    await ended(socket);
  });

  test.each([
    ['says nothing', '', { idleMs: 100 }],
    [
      'was answered and asks no more',
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n',
      { keepAliveTimeoutMs: 100 },
    ],
  ])('is not kept up by who %s', async (_, text, limits) => {
    await using(
      async (served) => {
        const socket = await open(served.port);
        socket.resume();
        socket.write(text);
        await ended(socket);
      },
      { limits },
    );
  });

  test.each([
    ['no HTTP at all', 'hello\r\n\r\n', /^HTTP\/1.1 400/],
    [
      'headers without end',
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
      /^HTTP\/1.1 4\d\d/,
    ],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', /^HTTP\/1.1 400/],
    ['an empty host', 'GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n', /^HTTP\/1.1 421/],
    ['no host, of an old client', 'GET / HTTP/1.0\r\n\r\n', /^HTTP\/1.1 421/],
    [
      'two lengths',
      'GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      /^HTTP\/1.1 400/,
    ],
  ])('%s is refused', async (_, text, expected) => {
    await using(async (served) => {
      const socket = await open(served.port);
      let said = '';
      socket.setEncoding('utf8').on('data', (more: string) => {
        said += more;
      });
      socket.write(text);
      await ended(socket);
      expect(said).toMatch(expected);
      expect((await ask(served, '/healthz')).status).toBe(200);
    });
  });
});

describe('an address that cannot be had', () => {
  test('is told once, and stops nothing', async (context) => {
    const holder = createServer();
    holder.listen(0, '127.0.0.1');
    await once(holder, 'listening');
    context.onTestFinished(() => void holder.close());
    const { port } = holder.address() as AddressInfo;
    const told: EventMap['http.unavailable'][] = [];
    const server = new HttpServer({
      listen: { address: '127.0.0.1', port },
      pages: 'loopback',
      clock: { ...systemClock, sleep: (_, signal) => systemClock.sleep(20, signal) },
      events: {
        emit: (name, fields) => {
          if (name === 'http.unavailable') told.push(fields as EventMap['http.unavailable']);
        },
      },
      answer: async () => plain(200, 'here'),
      endsAll: () => false,
    });
    const running = server.run();
    await eventually(() => told.length > 0);
    expect(told[0]).toMatchObject({ address: `127.0.0.1:${port}`, code: 'EADDRINUSE' });
    expect(server.url).toBeUndefined();
    // Free again, it is taken.
    await new Promise((resolve) => holder.close(resolve));
    expect(await eventually(() => server.url)).toBe(`http://127.0.0.1:${port}/`);
    expect(told.length).toBe(1);
    await server.stop();
    await running;
  });
});
