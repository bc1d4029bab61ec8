import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { header, type LargeSums, receive } from './body.ts';
import { type Objects, type StoredObject, type StoredPart, sumsOfParts } from './objects.ts';
import { errorXml, escapeXml, listXml, xml } from './xml.ts';

/** One request, its address taken apart: path style, /BUCKET/KEY. */
export interface S3Request {
  readonly incoming: IncomingMessage;
  readonly answer: ServerResponse;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
}

export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message = code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The calls of S3 that an uploader makes. Signatures are not looked at. */
export class S3Calls {
  readonly #objects: Objects;
  /** What is computed of large bodies, too. */
  sums: LargeSums = { verify: false, etags: false };

  constructor(objects: Objects) {
    this.#objects = objects;
  }

  async serve(request: S3Request): Promise<void> {
    const { query, key } = request;
    const { method } = request.incoming;
    if (method === 'PUT' && key === '') reply(request, 200);
    else if (method === 'PUT' && query.has('partNumber')) await this.#putPart(request);
    else if (method === 'PUT') await this.#put(request);
    else if (method === 'POST' && query.has('uploads')) this.#create(request);
    else if (method === 'POST' && query.has('uploadId')) await this.#complete(request);
    else if (method === 'DELETE') this.#delete(request);
    else if (method === 'HEAD') this.#head(request);
    else if (method === 'GET' && key !== '') this.#get(request);
    else if (method === 'GET') reply(request, 200, this.#bucket(request));
    else throw new Refusal(501, 'NotImplemented', `${method} ${request.incoming.url}`);
  }

  async #put(request: S3Request): Promise<void> {
    const { incoming, key } = request;
    if (incoming.headers['x-amz-copy-source'] !== undefined) throw new Refusal(501, 'NotImplemented', 'copy');
    const body = await receive(incoming, this.sums);
    this.#assertConditions(request);
    this.#objects.put({
      key,
      sizeBytes: body.sizeBytes,
      etag: body.etag,
      crc32: body.crc32,
      body: body.bytes,
      ...described(incoming),
      modified: new Date(),
    });
    reply(request, 200, '', sums(body.etag, body.crc32));
  }

  #assertConditions({ incoming, key }: S3Request): void {
    const before = this.#objects.get(key);
    if (header(incoming, 'if-none-match') === '*' && before) throw new Refusal(412, 'PreconditionFailed');
    const match = header(incoming, 'if-match');
    if (match === undefined) return;
    if (!before) throw new Refusal(404, 'NoSuchKey');
    if (match.replaceAll('"', '') !== before.etag) throw new Refusal(412, 'PreconditionFailed');
  }

  #create(request: S3Request): void {
    const { incoming, key, bucket } = request;
    const id = randomBytes(16).toString('hex');
    this.#objects.uploads.set(id, { key, ...described(incoming), parts: new Map() });
    const inner = `<Bucket>${bucket}</Bucket><Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId>`;
    const echoed = ['x-amz-checksum-algorithm', 'x-amz-checksum-type'].flatMap((name) => {
      const value = header(incoming, name);
      return value === undefined ? [] : [[name, value]];
    });
    reply(request, 200, xml('InitiateMultipartUploadResult', inner), Object.fromEntries(echoed));
  }

  async #putPart(request: S3Request): Promise<void> {
    const { incoming, query } = request;
    const body = await receive(incoming, this.sums);
    const upload = this.#upload(query);
    const number = Number(query.get('partNumber'));
    upload.parts.set(number, { number, sizeBytes: body.sizeBytes, etag: body.etag, crc32: body.crc32 });
    reply(request, 200, '', sums(body.etag, body.crc32));
  }

  #upload(query: URLSearchParams) {
    const upload = this.#objects.uploads.get(query.get('uploadId') ?? '');
    if (!upload) throw new Refusal(404, 'NoSuchUpload');
    return upload;
  }

  async #complete(request: S3Request): Promise<void> {
    const { incoming, query, key, bucket } = request;
    const named = partNumbers(await text(incoming));
    const upload = this.#upload(query);
    this.#assertConditions(request);
    const parts = named.map((number): StoredPart => {
      const part = upload.parts.get(number);
      if (!part) throw new Refusal(400, 'InvalidPart', `part ${number}`);
      return part;
    });
    const { etag, crc32 } = sumsOfParts(parts);
    const { contentType, metadata } = upload;
    const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
    this.#objects.put({
      key,
      sizeBytes,
      etag,
      crc32,
      body: undefined,
      contentType,
      metadata,
      modified: new Date(),
    });
    this.#objects.uploads.delete(query.get('uploadId') ?? '');
    const checksum =
      crc32 === undefined
        ? ''
        : `<ChecksumCRC32>${crc32}</ChecksumCRC32><ChecksumType>FULL_OBJECT</ChecksumType>`;
    const inner = `<Bucket>${bucket}</Bucket><Key>${escapeXml(key)}</Key><ETag>&quot;${etag}&quot;</ETag>${checksum}`;
    reply(request, 200, xml('CompleteMultipartUploadResult', inner));
  }

  #delete(request: S3Request): void {
    const id = request.query.get('uploadId');
    if (id !== null) this.#objects.uploads.delete(id);
    else this.#objects.delete(request.key);
    reply(request, 204);
  }

  #head(request: S3Request): void {
    const object = this.#objects.get(request.key);
    if (object) {
      const length = { 'content-length': String(object.sizeBytes) };
      reply(request, 200, '', { ...objectHeaders(request, object), ...length });
    } else {
      reply(request, request.key === '' ? 200 : 404);
    }
  }

  #get(request: S3Request): void {
    const object = this.#objects.get(request.key);
    if (!object) throw new Refusal(404, 'NoSuchKey');
    const { body, sizeBytes } = object;
    if (!body) throw new Refusal(501, 'NotImplemented', 'the bytes of large objects are not kept');
    const headers = objectHeaders(request, object);
    const range = /^bytes=(\d+)-(\d*)$/.exec(header(request.incoming, 'range') ?? '');
    const from = Number(range?.[1] ?? 0);
    const to = Math.min(Number(range?.[2] || sizeBytes - 1), sizeBytes - 1);
    if (range && from >= sizeBytes) throw new Refusal(416, 'InvalidRange');
    if (range) headers['content-range'] = `bytes ${from}-${to}/${sizeBytes}`;
    reply(request, range ? 206 : 200, body.subarray(from, to + 1), headers);
  }

  #bucket({ query, bucket }: S3Request): string {
    if (bucket === '') return xml('ListAllMyBucketsResult', '<Buckets></Buckets>');
    if (query.has('location')) return xml('LocationConstraint', '');
    if (query.has('versioning')) return xml('VersioningConfiguration', '');
    if (query.has('uploads')) return xml('ListMultipartUploadsResult', '');
    const keysMax = Number(query.get('max-keys') ?? 1000);
    const prefix = query.get('prefix') ?? '';
    const delimiter = query.get('delimiter') ?? '';
    const after = query.get('continuation-token') ?? query.get('start-after') ?? query.get('marker') ?? '';
    // With a delimiter any number of keys may make one prefix.
    const limit = delimiter === '' ? (keysMax === 1 ? 1 : keysMax + 1) : Number.POSITIVE_INFINITY;
    const found = this.#objects.list(prefix, after, limit);
    const encode = query.get('encoding-type') === 'url';
    const isVersion2 = query.get('list-type') === '2';
    return listXml({ bucket, prefix, delimiter, isVersion2, keysMax, encode }, found);
  }
}

function described(incoming: IncomingMessage): { contentType: string; metadata: Record<string, string> } {
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (name.startsWith('x-amz-meta-') && typeof value === 'string') metadata[name] = value;
  }
  return { contentType: header(incoming, 'content-type') ?? 'application/octet-stream', metadata };
}

function objectHeaders({ incoming }: S3Request, object: StoredObject): Record<string, string> {
  const asked = header(incoming, 'x-amz-checksum-mode') === 'ENABLED';
  return {
    ...(asked ? sums(object.etag, object.crc32) : { etag: `"${object.etag}"` }),
    'content-type': object.contentType,
    'last-modified': object.modified.toUTCString(),
    'accept-ranges': 'bytes',
    ...object.metadata,
  };
}

function sums(etag: string, crc32: string | undefined): Record<string, string> {
  const checksum =
    crc32 === undefined ? {} : { 'x-amz-checksum-crc32': crc32, 'x-amz-checksum-type': 'FULL_OBJECT' };
  return { etag: `"${etag}"`, ...checksum };
}

function partNumbers(body: string): number[] {
  return [...body.matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map((match) => Number(match[1]));
}

export function reply(
  { answer, incoming }: S3Request,
  status: number,
  body: string | Buffer = '',
  headers: Record<string, string> = {},
): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const type = typeof body === 'string' && body !== '' ? { 'content-type': 'application/xml' } : {};
  const length =
    status === 204 || incoming.method === 'HEAD' ? {} : { 'content-length': String(bytes.length) };
  answer.writeHead(status, { ...type, ...length, ...headers });
  answer.end(bytes);
}

export function refuse(request: S3Request, error: unknown): void {
  const refusal =
    error instanceof Refusal
      ? error
      : new Refusal(500, 'InternalError', error instanceof Error ? error.message : String(error));
  // A body that nobody reads would be taken for the next request.
  request.incoming.resume();
  reply(request, refusal.status, errorXml(refusal.code, refusal.message));
}
