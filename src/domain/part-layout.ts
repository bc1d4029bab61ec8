/**
 * How an object is cut into parts. The size of a part is a function of its number alone, because a file that grows
 * while it is sent has no known size: the same bytes are cut alike by whoever sends them, in whatever life.
 *
 *   size of part n = firstBytes * 2^floor((n - 1) / doublesEvery), at most 5 GiB
 *
 * With a first part of 5 MiB, 10,000 parts then hold more than the 5 TiB of S3's largest object. A layout that does
 * not double (`doublesEvery` 0) is for endpoints that want all parts but the last alike.
 */
export interface PartLayout {
  readonly firstBytes: number;
  /** Parts of one size before the size doubles; 0: never. */
  readonly doublesEvery: number;
}

export interface PartRange {
  /** From 1, as S3 counts. */
  readonly number: number;
  readonly position: number;
  readonly sizeBytes: number;
}

const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;
export const partBytesMin = 5 * mebibyte;
export const partBytesMax = 5 * gibibyte;
export const partsMax = 10_000;
/** Every 1,000 would leave 5 MiB parts a little short of 5 TiB. */
const standardDoublesEvery = 900;

export function growingLayout(firstBytes: number): PartLayout {
  return { firstBytes, doublesEvery: standardDoublesEvery };
}

/** Parts of one size, large enough that `bytesMax` fits. */
export function constantLayout(firstBytes: number, bytesMax: number): PartLayout {
  const needed = Math.ceil(bytesMax / partsMax / mebibyte) * mebibyte;
  return { firstBytes: Math.max(firstBytes, needed), doublesEvery: 0 };
}

export function partBytes({ firstBytes, doublesEvery }: PartLayout, number: number): number {
  const doublings = doublesEvery === 0 ? 0 : Math.floor((number - 1) / doublesEvery);
  return Math.min(firstBytes * 2 ** doublings, partBytesMax);
}

/** The parts of an object of `sizeBytes` from part `first` on, in order; the last one may be shorter than the others. */
export function* partsOf(layout: PartLayout, sizeBytes: number, first = 1): Generator<PartRange> {
  let position = 0;
  for (let number = 1; position < sizeBytes; number++) {
    const size = Math.min(partBytes(layout, number), sizeBytes - position);
    if (number >= first) yield { number, position, sizeBytes: size };
    position += size;
  }
}

/** Only whole parts: what can be sent of a file that may still grow. */
export function* wholePartsOf(layout: PartLayout, sizeBytes: number): Generator<PartRange> {
  for (const part of partsOf(layout, sizeBytes)) {
    if (part.sizeBytes === partBytes(layout, part.number)) yield part;
  }
}
