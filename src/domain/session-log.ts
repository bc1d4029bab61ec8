import { z } from 'zod';
import type { JsonValue } from './json.ts';

/**
 * The one definition of a session log: its types, its validation, its order of keys and its JSON Schema all come from
 * here. Unknown is absent. Only the free maps (raw, metrics, native, provenance) may hold keys that are not named here.
 */

const time = () => z.iso.datetime();
const count = () => z.int().nonnegative();
const amount = () => z.number().nonnegative();
const text = () => z.string();
// Not walked: what is in it was read by our own parser, and may be large.
const anyJson = z.custom<JsonValue>();
const freeMap = () => z.record(z.string(), anyJson);

export const sessionStatuses = [
  'running',
  'completed',
  'failed',
  'cancelled',
  'interrupted',
  'stalled',
] as const;
export const missingReasons = [
  'pending',
  'changing',
  'vanished',
  'unreadable',
  'parked',
  'tooLarge',
] as const;

const agentSchema = z.strictObject({
  version: text().describe('Version of trainlogd'),
  host: text().describe('Name of the host that shipped the session'),
});

const sessionSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/)
    .describe('Identity of the session, as in the object keys'),
  name: text()
    .optional()
    .describe('What the session is called where it was found, before it was made a legal id'),
  status: z
    .enum(sessionStatuses)
    .describe(
      '`stalled` fell silent without evidence of an end and may go on; `interrupted` ended without a result',
    ),
  startedAt: time().describe('Start of the training; decides year and month of the keys'),
  endedAt: time().optional().describe('End of the training'),
  version: text().optional().describe('Version of the training code, as it names itself'),
  revision: z.int().positive().describe('Grows by one each time that the log is written again'),
  sealedBy: text()
    .optional()
    .describe('What said that the session has ended: a file, a marker, a process, silence'),
  framework: text().optional().describe('Training framework'),
  agent: agentSchema.describe('Who wrote this log'),
});

const userSchema = z.strictObject({
  username: text().optional().describe('Who trained'),
  sessionStartedAt: time()
    .optional()
    .describe('Start of the login or notebook session that the training belongs to'),
});

const podSchema = z.strictObject({
  id: text().optional().describe('Pod, instance or job'),
  provider: text().optional().describe('Who runs the machine'),
  gpuType: text().optional().describe('GPU model'),
  gpuCount: z.int().positive().optional().describe('GPUs that the session could use'),
  costPerHour: amount().optional().describe('Price of the whole pod for one hour, in `currency`'),
  currency: text().optional().describe('Currency of the cost, ISO 4217'),
  cost: amount().optional().describe('Duration times price, in `currency`'),
});

const configSchema = z.strictObject({
  epochs: amount().optional().describe('Epochs that were asked for'),
  batchSize: amount().optional().describe('Batch size as configured'),
  learningRate: amount().optional().describe('Initial learning rate'),
  maxSteps: count().optional().describe('Optimizer steps that were asked for'),
  seed: z.int().optional().describe('Random seed'),
  model: text().optional().describe('Model that is trained'),
  dataset: text().optional().describe('Data that it is trained on'),
  raw: freeMap().optional().describe('The whole configuration as found'),
});

const checkpointSchema = z.strictObject({
  path: text().describe('Relative to the session'),
  bytes: count().optional().describe('Size'),
  savedAt: time().optional().describe('When it was saved'),
});

const resultsSchema = z.strictObject({
  durationSeconds: amount().optional().describe('Time spent training'),
  epochsCompleted: amount().optional().describe('Epochs done'),
  stepsCompleted: count().optional().describe('Optimizer steps done'),
  checkpointsSaved: z.array(checkpointSchema).optional().describe('Checkpoints; they are not shipped'),
  metrics: freeMap().optional().describe('Final metrics by name'),
  error: text().optional().describe('Why the training failed'),
});

const historySchema = z.strictObject({
  columns: z.array(text()).describe('Names of the columns'),
  rows: z
    .array(z.array(z.union([z.number(), z.string(), z.null()])))
    .describe('One row a step, cells in the order of the columns'),
  thinnedFrom: count().optional().describe('Number of rows before some were left out'),
});

const companionSchema = z.strictObject({
  path: text().describe('Relative to the session; bytes that are not UTF-8 as %XX'),
  key: text().describe('Key of the object'),
  bytes: count().describe('Size'),
  etag: text().describe('ETag without quotes'),
  partSize: z.int().positive().optional().describe('Bytes in a part, where the object was sent in parts'),
  crc32: text().optional().describe('CRC-32 of the whole object, base64'),
  crc64nvme: text().optional().describe('CRC-64/NVME of the whole object, base64'),
  sha256: text().optional().describe('SHA-256 of the whole object, base64'),
  contentType: text().optional().describe('Media type of the object'),
  truncated: z.boolean().optional().describe('True when it may not be the whole file'),
});

const missingSchema = z.strictObject({
  path: text().describe('Relative to the session; bytes that are not UTF-8 as %XX'),
  bytes: count().optional().describe('Size when it was last seen'),
  reason: z.enum(missingReasons).describe('Why it is not in the bucket, or not with these bytes'),
});

const excludedSchema = z.strictObject({
  files: count().describe('Number of files that the configuration leaves out'),
  bytes: count().describe('Their size'),
});

export const sessionLogSchema = z.strictObject({
  schemaVersion: z.literal(1).describe('Version of this format'),
  session: sessionSchema.describe('Which session, and how it stands'),
  user: userSchema.optional().describe('Who'),
  pod: podSchema.optional().describe('Where, and for how much'),
  config: configSchema.optional().describe('What was asked for'),
  results: resultsSchema.optional().describe('What came of it'),
  history: historySchema.optional().describe('How it went, step by step'),
  companions: z
    .array(companionSchema)
    .describe('Files of the session that are in the bucket, whole and verified'),
  missing: z
    .array(missingSchema)
    .describe(
      'Files that should be in the bucket and are not; empty in a log that is not running: the session is complete',
    ),
  excluded: excludedSchema.describe('Files that are left out on purpose'),
  native: freeMap().describe('session.json and result.json as they were written, redacted'),
  provenance: z
    .record(z.string(), z.string())
    .describe('Source of each value by its path; the longest path that leads to a value counts'),
  warnings: z.array(text()).describe('What could not be read, believed or kept'),
});

export type SessionLog = z.infer<typeof sessionLogSchema>;
export type SessionStatus = (typeof sessionStatuses)[number];
export type MissingReason = (typeof missingReasons)[number];
export type SessionSection = z.infer<typeof sessionSchema>;
export type UserSection = z.infer<typeof userSchema>;
export type PodSection = z.infer<typeof podSchema>;
export type ConfigSection = z.infer<typeof configSchema>;
export type ResultsSection = z.infer<typeof resultsSchema>;
export type HistorySection = z.infer<typeof historySchema>;
export type CheckpointEntry = z.infer<typeof checkpointSchema>;
export type CompanionEntry = z.infer<typeof companionSchema>;
export type MissingEntry = z.infer<typeof missingSchema>;
export type ExcludedSection = z.infer<typeof excludedSchema>;

/** JSON Schema, draft 2020-12. */
export function sessionLogJsonSchema(): object {
  const described = sessionLogSchema.meta({
    title: 'trainlogd session log',
    description: 'One training session. Times are RFC 3339 in UTC; what is unknown is absent.',
  });
  return z.toJSONSchema(described, { unrepresentable: 'any' });
}

/**
 * One line of compact JSON, keys in the order of the definition. Throws a ZodError when the log does not fulfil it.
 * Lone surrogates become U+FFFD: many readers of JSON refuse a whole line for one.
 */
export function renderSessionLog(log: SessionLog): string {
  const line = JSON.stringify(sessionLogSchema.parse(log));
  // JSON.stringify escapes lone surrogates and nothing else as \ud8xx..\udfxx; matching every escape keeps `\\ud800` whole.
  const wellFormed = line.includes('\\ud')
    ? line.replace(/\\(?:u(d[89a-f][0-9a-f]{2})|.)/g, (found, surrogate) => (surrogate ? '\ufffd' : found))
    : line;
  return `${wellFormed}\n`;
}
