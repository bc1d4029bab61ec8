import { lookup } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';
import { errnoOf } from '../adapters/errno.ts';
import { createS3Client } from '../adapters/s3-client.ts';
import { type BucketLocation, locateBucket } from '../adapters/s3-location.ts';
import type { S3Destination } from '../config/config.ts';
import type { Clock } from '../ports/clock.ts';
import type { Limits } from './patient.ts';
import { lookAtTls, type TlsLook } from './tls-look.ts';
import { within } from './within.ts';

/** How far one gets towards the server, without asking it for anything. */
export interface EndpointLook {
  /** `https://host:port` */
  readonly origin: string;
  readonly hostname: string;
  readonly port: number;
  readonly secure: boolean;
  /** What kept us from it: of DNS, of the connection, of TLS. Absent: it can be asked. */
  readonly failed?: {
    readonly at: 'name' | 'connection' | 'tls';
    readonly code: string;
    readonly said: string;
  };
  readonly addresses: readonly string[];
  /** Where the endpoint is https, or where http was asked and TLS may be what it speaks. */
  readonly tls?: TlsLook;
}

/** Throws what the SDK throws for an endpoint or a region that it can make no address of. */
export async function lookAtEndpoint(
  destination: S3Destination,
  clock: Clock,
  limits: Limits,
): Promise<EndpointLook> {
  const { secure, hostname, port: named } = await locate(destination);
  const port = named ?? (secure ? 443 : 80);
  const base = { origin: `${secure ? 'https' : 'http'}://${hostname}:${port}`, hostname, port, secure };
  const late = { addresses: [], failed: { at: 'name', code: 'ETIMEOUT', said: 'no answer' } } as const;
  const named_ = await within(clock, limits.connectMs, late, () => resolve(hostname));
  if ('failed' in named_) return { ...base, ...named_ };
  const { addresses } = named_;
  const said = `nothing answers within ${limits.connectMs} ms`;
  const silent = { code: 'ETIMEDOUT', said };
  const connected = await within(clock, limits.connectMs, silent, (signal) => open(hostname, port, signal));
  if ('code' in connected) return { ...base, addresses, failed: { at: 'connection', ...connected } };
  connected.destroy();
  if (!secure) return { ...base, addresses };
  const tls = await lookAtTls({ hostname, port }, clock, limits.connectMs);
  const failed = tls.failure && { at: 'tls' as const, ...tls.failure };
  return { ...base, addresses, tls, ...(failed && { failed }) };
}

/** A location needs credentials of some kind, and is the same with all: those that sign may not be had. */
async function locate(destination: S3Destination): Promise<BucketLocation> {
  const { bucket, region, endpoint, pathStyle, tags } = destination;
  const credentials = { accessKeyId: 'none', secretAccessKey: 'none' };
  const client = createS3Client({ bucket, region, endpoint, pathStyle, tags, credentials }, 1000);
  try {
    return await locateBucket({ client, bucket });
  } finally {
    client.destroy();
  }
}

async function resolve(hostname: string) {
  try {
    const found = await lookup(hostname.replace(/^\[|\]$/g, ''), { all: true });
    return { addresses: found.map(({ address }) => address) };
  } catch (error) {
    const failed = { at: 'name' as const, code: errnoOf(error), said: 'its name is not known' };
    return { addresses: [], failed };
  }
}

type Unconnected = { readonly code: string; readonly said: string };

export function open(hostname: string, port: number, signal: AbortSignal): Promise<Socket | Unconnected> {
  return new Promise((done) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port });
    socket.once('connect', () => done(socket));
    // Stays: what breaks later has nobody to tell.
    socket.on('error', (error) => done({ code: codeOf(error), said: error.message }));
    signal.addEventListener('abort', () => socket.destroy(), { once: true });
  });
}

/** Of several addresses that were tried, each has its own error. */
function codeOf(error: Error): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return errnoOf(first);
}
