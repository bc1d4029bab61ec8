import type { IncomingMessage } from 'node:http';
import { flipMiddle } from './request-body.ts';

/** Names and values by turns, as node gives them. */
type RawHeaders = readonly string[];

/** The answer as it goes over the wire, framed by its length. */
export function rawAnswer({ statusCode, statusMessage, rawHeaders }: IncomingMessage, body: Buffer): Buffer {
  const lines = pairs(rawHeaders)
    .filter(([name]) => !/^(transfer-encoding|content-length)$/i.test(name))
    .map(([name, value]) => `${name}: ${value}`);
  const head = [`HTTP/1.1 ${statusCode} ${statusMessage}`, ...lines, `Content-Length: ${body.length}`];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

/** One bit of the body; an answer without a body says another ETag. */
export function corruptAnswer(rawHeaders: RawHeaders, body: Buffer): { headers: RawHeaders; body: Buffer } {
  if (body.length > 0) return { headers: rawHeaders, body: flipMiddle(body) };
  const headers = mapValue(rawHeaders, 'etag', (etag) =>
    etag.replace(/[0-9a-f]/, (digit) => (digit === '0' ? '1' : '0')),
  );
  return { headers, body };
}

export function shiftDate(rawHeaders: RawHeaders, byMs: number): RawHeaders {
  return mapValue(rawHeaders, 'date', (date) => new Date(Date.parse(date) + byMs).toUTCString());
}

function mapValue(rawHeaders: RawHeaders, wanted: string, change: (value: string) => string): RawHeaders {
  return pairs(rawHeaders).flatMap(([name, value]) => [
    name,
    name.toLowerCase() === wanted ? change(value) : value,
  ]);
}

function pairs(rawHeaders: RawHeaders): [name: string, value: string][] {
  const names = rawHeaders.filter((_, index) => index % 2 === 0);
  return names.map((name, index) => [name, rawHeaders[2 * index + 1] ?? '']);
}
