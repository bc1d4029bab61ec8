import type { IncomingHttpHeaders } from 'node:http';

export type S3Operation =
  | 'AbortMultipartUpload'
  | 'CompleteMultipartUpload'
  | 'CreateMultipartUpload'
  | 'DeleteObject'
  | 'GetObject'
  | 'HeadBucket'
  | 'HeadObject'
  | 'ListMultipartUploads'
  | 'ListObjectsV2'
  | 'ListParts'
  | 'Other'
  | 'PutObject'
  | 'UploadPart'
  | 'UploadPartCopy';

/** What a request asks for, as far as its head tells. */
export interface S3Request {
  readonly method: string;
  readonly operation: S3Operation;
  readonly bucket: string;
  /** Decoded; for a listing the prefix; '' for the bucket itself. */
  readonly key: string;
  readonly partNumber: number | undefined;
  readonly uploadId: string | undefined;
  /** Whose signature it bears; '' for none. */
  readonly accessKeyId: string;
}

/** Path style only: `/BUCKET/KEY?QUERY`. */
export function readRequest(method: string, target: string, headers: IncomingHttpHeaders): S3Request {
  const url = new URL(target, 'http://proxy');
  const [, bucket = '', path = ''] = /^\/([^/]*)\/?(.*)$/s.exec(url.pathname) ?? [];
  const query = url.searchParams;
  const partNumber = query.get('partNumber');
  return {
    method,
    operation: path === '' ? ofBucket(method, query) : ofObject(method, query, headers),
    bucket,
    key: path === '' ? (query.get('prefix') ?? '') : decodeURIComponent(path),
    partNumber: partNumber === null ? undefined : Number(partNumber),
    uploadId: query.get('uploadId') ?? undefined,
    accessKeyId: /Credential=([^/]+)\//.exec(headers.authorization ?? '')?.[1] ?? '',
  };
}

function ofBucket(method: string, query: URLSearchParams): S3Operation {
  if (method === 'GET' && query.has('list-type')) return 'ListObjectsV2';
  if (method === 'GET' && query.has('uploads')) return 'ListMultipartUploads';
  return method === 'HEAD' ? 'HeadBucket' : 'Other';
}

function ofObject(method: string, query: URLSearchParams, headers: IncomingHttpHeaders): S3Operation {
  const inParts = query.has('uploadId');
  switch (method) {
    case 'PUT':
      if (!inParts) return 'PutObject';
      return headers['x-amz-copy-source'] === undefined ? 'UploadPart' : 'UploadPartCopy';
    case 'POST':
      if (query.has('uploads')) return 'CreateMultipartUpload';
      return inParts ? 'CompleteMultipartUpload' : 'Other';
    case 'GET':
      return inParts ? 'ListParts' : 'GetObject';
    case 'HEAD':
      return 'HeadObject';
    case 'DELETE':
      return inParts ? 'AbortMultipartUpload' : 'DeleteObject';
    default:
      return 'Other';
  }
}
