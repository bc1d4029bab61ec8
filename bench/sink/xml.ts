import type { StoredObject } from './objects.ts';

const namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

export function xml(root: string, inner: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} ${namespace}>${inner}</${root}>`;
}

export function errorXml(code: string, message: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error>`;
}

export interface ListQuery {
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string;
  readonly isVersion2: boolean;
  readonly keysMax: number;
  readonly encode: boolean;
}

/** One page of a listing; `found` are the objects behind where the last page ended, one more than fits if there is more. */
export function listXml(query: ListQuery, found: readonly StoredObject[]): string {
  const { prefix, delimiter, keysMax } = query;
  const name = (text: string) => (query.encode ? encodeURIComponent(text) : escapeXml(text));
  const contents: string[] = [];
  const common = new Set<string>();
  let last = '';
  let isTruncated = false;
  for (const object of found) {
    if (contents.length + common.size >= keysMax) {
      isTruncated = true;
      break;
    }
    last = object.key;
    const at = delimiter === '' ? -1 : object.key.indexOf(delimiter, prefix.length);
    if (at >= 0) common.add(object.key.slice(0, at + delimiter.length));
    else contents.push(contentXml(object, name(object.key)));
  }
  const next = query.isVersion2 ? 'NextContinuationToken' : 'NextMarker';
  const parts = [
    `<Name>${query.bucket}</Name><Prefix>${name(prefix)}</Prefix><MaxKeys>${keysMax}</MaxKeys>`,
    query.isVersion2 ? `<KeyCount>${contents.length + common.size}</KeyCount>` : '',
    query.encode ? '<EncodingType>url</EncodingType>' : '',
    `<IsTruncated>${isTruncated}</IsTruncated>`,
    isTruncated ? `<${next}>${name(last)}</${next}>` : '',
    ...contents,
    ...[...common].map((text) => `<CommonPrefixes><Prefix>${name(text)}</Prefix></CommonPrefixes>`),
  ];
  return xml('ListBucketResult', parts.join(''));
}

function contentXml(object: StoredObject, key: string): string {
  const modified = object.modified.toISOString();
  return `<Contents><Key>${key}</Key><LastModified>${modified}</LastModified><ETag>&quot;${object.etag}&quot;</ETag><Size>${object.sizeBytes}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
}

export function escapeXml(text: string): string {
  return text.replace(/[<>&"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
