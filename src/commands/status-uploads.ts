import type { Status } from '../ports/status.ts';
import { counted, humanBytes } from './human.ts';
import { type Line, plain, toned } from './styled.ts';
import { movedLine, nameLine } from './upload-line.ts';

type Upload = Status['uploads'][number];

const shownMax = 6;
/** Before that, a transfer that did not move yet waits for its turn or for an answer. */
const stillAfterMs = 15_000;

export function uploadLines(status: Pick<Status, 'uploads' | 'bytesPerSecond'>, columns: number): Line[] {
  const { uploads } = status;
  if (uploads.length === 0) return [];
  const rate = rateOf(status);
  // The longest under way first: an order in which nothing jumps.
  const shown = uploads.toSorted((a, b) => b.forMs - a.forMs).slice(0, shownMax);
  const more = uploads.length - shown.length;
  return [
    ...toned(
      'title',
      '',
      `SENDING ${counted(uploads.length, 'file')}${rate === undefined ? '' : `, ${humanBytes(rate)}/s`}`,
    ),
    ...shown.flatMap((upload) => [nameLine(upload, columns), movedLine(paced(upload), columns)]).map(plain),
    ...(more > 0 ? [plain(`  and ${more} more`)] : []),
  ];
}

function paced({ sentBytes, sizeBytes, bytesPerSecond, forMs }: Upload) {
  const hasJustBegun = bytesPerSecond === 0 && forMs < stillAfterMs;
  return { sentBytes, sizeBytes, bytesPerSecond: hasJustBegun ? undefined : bytesPerSecond };
}

/** Of what is under way now, where that can be told: it says more of this minute than the mean of the last ones. */
export function rateOf({
  uploads,
  bytesPerSecond,
}: {
  readonly uploads: readonly { readonly bytesPerSecond?: number | undefined }[];
  readonly bytesPerSecond?: number | undefined;
}): number | undefined {
  const rates = uploads.flatMap((upload) => upload.bytesPerSecond ?? []);
  return rates.length > 0 ? rates.reduce((sum, rate) => sum + rate, 0) : bytesPerSecond;
}

/** How long the backlog takes at the present rate; undefined where there is none, or nothing to send. */
export function leftMs(status: Pick<Status, 'uploads' | 'bytesPerSecond' | 'backlog'>): number | undefined {
  const rate = rateOf(status);
  const bytes = Math.max(0, status.backlog.pendingBytes - sentOf(status.uploads));
  return rate && bytes > 0 ? (bytes * 1000) / rate : undefined;
}

/** Of files that are under way and count as pending until all of them is there. */
export function sentOf(uploads: readonly { sentBytes: number; sizeBytes: number }[]): number {
  return uploads.reduce((sum, { sentBytes, sizeBytes }) => sum + Math.min(sentBytes, sizeBytes), 0);
}
