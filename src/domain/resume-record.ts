import { z } from 'zod';
import { type PartLayout, partBytes, partsMax } from './part-layout.ts';

/**
 * What another host needs to complete a file whose host is lost, without asking which parts there are (that needs a
 * right of its own): a small object beside the companions. Nothing in it opens anything to anyone.
 *
 *   invariant: the parts follow each other from the file's first byte, all of them whole
 *   invariant: a record that names no parts is void: what was sent was given up, and nobody is to complete it
 *
 * It says what was sent, never that this is all of the file, or that the file still is like this.
 *
 * Versioned: a program that does not know the version leaves the file alone.
 */
const partSchema = z.object({
  number: z.int().positive(),
  sizeBytes: z.int().positive(),
  etag: z.string().min(1).max(200),
  crc32: z.string().regex(/^[A-Za-z0-9+/]{6}==$/),
});

const conditionSchema = z.union([z.object({ absent: z.literal(true) }), z.object({ etag: z.string() })]);

/** Of what nobody can have meant: a session of ten years, a snapshot a week. */
const ageMsMax = 10 * 365 * 24 * 3_600_000;
const everyMsMax = 7 * 24 * 3_600_000;

/** When its host was to write again, in times that no clock which is wrong can shift. */
const scheduleSchema = z.object({
  /** How long ago the session had been found when the record was written. */
  ageMs: z.int().nonnegative().max(ageMsMax),
  everyMs: z.int().positive().max(everyMsMax),
});

/** Larger is no record. */
export const recordBytesMax = 4 * 1024 * 1024;

export const resumeRecordSchema = z.object({
  version: z.literal(1),
  /** The session's id. */
  session: z.string(),
  /** As the session's log shows it. */
  path: z.string(),
  key: z.string(),
  uploadId: z.string().min(1).max(4096),
  token: z.string().max(200).optional(),
  contentType: z.string().max(200),
  checksum: z.enum(['crc32', 'md5']),
  layout: z.object({ firstBytes: z.int().positive(), doublesEvery: z.int().nonnegative() }),
  /** What is at the key until the upload is completed. */
  condition: conditionSchema,
  schedule: scheduleSchema.optional(),
  parts: z.array(partSchema).max(partsMax),
});

export type ResumeRecord = z.infer<typeof resumeRecordSchema>;
export type WriteSchedule = z.infer<typeof scheduleSchema>;
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

export function isVoid({ parts }: ResumeRecord): boolean {
  return parts.length === 0;
}

/** `ageMs` as a clock gives it that may have been set. */
export function writeSchedule(ageMs: number, everyMs: number): WriteSchedule {
  return {
    ageMs: Math.round(Math.min(Math.max(ageMs, 0), ageMsMax)),
    everyMs: Math.round(Math.min(Math.max(everyMs, 1), everyMsMax)),
  };
}

/** Of parts in the order of their numbers, those that follow each other from the first, all of them whole. */
export function leadingParts<T extends Part>(parts: readonly T[], layout: PartLayout): readonly T[] {
  const end = parts.findIndex(({ number, sizeBytes }, index) => {
    return number !== index + 1 || sizeBytes !== partBytes(layout, number);
  });
  return end < 0 ? parts : parts.slice(0, end);
}
