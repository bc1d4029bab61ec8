import { Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Exchange } from './exchange.ts';
import { readRequest, type S3Operation } from './operation.ts';
import { type LiveRule, type Rule, RuleBook } from './rules.ts';
import { Traffic } from './traffic.ts';

/** Something that a rule did. */
export interface Happening {
  readonly rule: string;
  readonly operation: S3Operation;
  readonly key: string;
  readonly partNumber?: number;
}

export interface FaultProxy {
  /** For clients, in the place of the server's. */
  readonly endpoint: string;
  readonly traffic: Traffic;
  /** In the order in which the requests came. */
  readonly happenings: readonly Happening[];
  add(rule: Rule): LiveRule;
  liftAll(): void;
  /** Nobody listens any more, and every connection is reset. */
  unplug(): Promise<void>;
  plug(): Promise<void>;
  close(): Promise<void>;
}

/** Longer than any client keeps one: a connection that is closed while it is used would be a fault that nobody asked for. */
const keepAliveMs = 120_000;

/** An HTTP proxy on the loopback interface before an S3 server, which does to requests and answers what rules say. */
export async function startFaultProxy(options: { upstream: string; seed: number }): Promise<FaultProxy> {
  const upstream = new URL(options.upstream);
  const agent = new Agent({ keepAlive: true });
  const rules = new RuleBook(options.seed);
  const traffic = new Traffic();
  const happenings: Happening[] = [];

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const request = readRequest(incoming.method ?? '', incoming.url ?? '', incoming.headers);
    const live = rules.choose(request);
    const { operation, key, partNumber } = request;
    if (live) {
      const which = partNumber === undefined ? {} : { partNumber };
      happenings.push({ rule: live.rule.name, operation, key, ...which });
    }
    const over = traffic.begin(request);
    const exchange = new Exchange({ request, incoming, outgoing, live, upstream, agent });
    await exchange.run();
    over(exchange.requestBytes, exchange.status);
  };

  const server = createServer({ keepAliveTimeout: keepAliveMs, requestTimeout: 0 }, (incoming, outgoing) => {
    void serve(incoming, outgoing);
  });
  const port = await listen(server, 0);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    traffic,
    happenings,
    add: (rule) => rules.add(rule),
    liftAll: () => rules.liftAll(),
    unplug: () => unplug(server),
    plug: async () => void (await listen(server, port)),
    close: async () => {
      rules.liftAll();
      if (server.listening) await unplug(server);
      agent.destroy();
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      const address = server.address();
      resolve(address === null || typeof address === 'string' ? 0 : address.port);
    });
  });
}

async function unplug(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
