import { z } from 'zod';
import { type PartLayout, partBytes } from './part-layout.ts';

/**
 * What another host needs to complete a file whose host is lost, without asking which parts there are (that needs a
 * right of its own): a small object beside the companions. Nothing in it opens anything to anyone.
 *
 *   invariant: the parts follow each other from the file's first byte, all of them whole
 *
 * Versioned: a program that does not know the version leaves the file alone.
 */
const partSchema = z.object({
  number: z.int().positive(),
  sizeBytes: z.int().positive(),
  etag: z.string().min(1),
  crc32: z.string(),
});

const conditionSchema = z.union([z.object({ absent: z.literal(true) }), z.object({ etag: z.string() })]);

export const resumeRecordSchema = z.object({
  version: z.literal(1),
  /** The session's id. */
  session: z.string(),
  /** As the session's log shows it. */
  path: z.string(),
  key: z.string(),
  uploadId: z.string().min(1),
  contentType: z.string(),
  checksum: z.enum(['crc32', 'md5']),
  layout: z.object({ firstBytes: z.int().positive(), doublesEvery: z.int().nonnegative() }),
  /** What is at the key until the upload is completed. */
  condition: conditionSchema,
  parts: z.array(partSchema).min(1),
});

export type ResumeRecord = z.infer<typeof resumeRecordSchema>;
type Part = ResumeRecord['parts'][number];

export function renderResumeRecord(record: ResumeRecord): string {
  return `${JSON.stringify(resumeRecordSchema.parse(record))}\n`;
}

/** Undefined when it is none, is damaged, or is of a version that this program does not know. */
export function readResumeRecord(text: string): ResumeRecord | undefined {
  try {
    const { success, data } = resumeRecordSchema.safeParse(JSON.parse(text));
    return success && leadingParts(data.parts, data.layout).length === data.parts.length ? data : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Of parts in the order of their numbers, those that follow each other from the first, all of them whole. */
export function leadingParts<T extends Part>(parts: readonly T[], layout: PartLayout): readonly T[] {
  const end = parts.findIndex(({ number, sizeBytes }, index) => {
    return number !== index + 1 || sizeBytes !== partBytes(layout, number);
  });
  return end < 0 ? parts : parts.slice(0, end);
}
