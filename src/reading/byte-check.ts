import { SumBuilder } from '../adapters/body-sums.ts';
import { ObjectDigest } from '../adapters/object-digest.ts';
import { constantLayout, growingLayout, type PartLayout, partsOf } from '../domain/part-layout.ts';
import type { CompanionEntry } from '../domain/session-log.ts';
import type { ByteCheck } from '../ports/download-directory.ts';

type Expected = Pick<CompanionEntry, 'bytes' | 'etag' | 'partSize' | 'crc32' | 'sha256'>;

/** Holds bytes against what the log says of them: its checksums, else an ETag that is made of the bytes. */
export function byteCheck(expected: Expected): ByteCheck {
  const { crc32, sha256 } = expected;
  return crc32 === undefined && sha256 === undefined ? etagCheck(expected) : sumCheck(expected);
}

function sumCheck({ crc32, sha256 }: Expected): ByteCheck {
  const sums = new SumBuilder({ md5: false, sha256: sha256 !== undefined });
  return {
    update: (chunk) => sums.update(chunk),
    finish: () => {
      const found = sums.finish();
      if (crc32 !== undefined && found.crc32 !== crc32) return differ('CRC-32', found.crc32, crc32);
      const digest = found.sha256?.toString('base64') ?? '';
      return sha256 !== undefined && digest !== sha256 ? differ('SHA-256', digest, sha256) : undefined;
    },
  };
}

function etagCheck({ etag, bytes, partSize }: Expected): ByteCheck {
  const [isMd5, parts] = /^[0-9a-f]{32}(?:-(\d+))?$/.exec(etag) ?? [];
  // Of other forms nothing can be computed: that the server has just this object was asked for with the bytes.
  if (isMd5 === undefined || (parts === undefined) !== (partSize === undefined))
    return { update: () => undefined, finish: () => undefined };
  const layout = partSize === undefined ? undefined : layoutOf(partSize, bytes, Number(parts));
  const digest = new ObjectDigest(layout);
  return {
    update: (chunk) => digest.update(chunk),
    finish: () => {
      const found = digest.finish().etag;
      return found === etag ? undefined : differ('ETag', found, etag);
    },
  };
}

/** The log names the size of the first part; how many there are tells whether later ones were larger. */
function layoutOf(partSize: number, bytes: number, count: number): PartLayout {
  const growing = growingLayout(partSize);
  return [...partsOf(growing, bytes)].length === count ? growing : constantLayout(partSize, bytes);
}

function differ(what: string, found: string, wanted: string): string {
  return `its ${what} is ${found}, the log says ${wanted}`;
}
