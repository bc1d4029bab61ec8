import { isJsonObject, type JsonValue } from '../../domain/json.ts';
import { UnreadableFile } from '../reader.ts';
import { text } from './config-fields.ts';
import { readTime } from './read-time.ts';
import { parseSafeYaml } from './safe-yaml.ts';

export const metaBytesMax = 64 * 1024;

/** meta.yaml of a run. */
export interface RunMeta {
  readonly status: string;
  readonly startedAt: string | undefined;
  readonly endedAt: string | undefined;
  readonly durationSeconds: number | undefined;
  readonly user: string | undefined;
  readonly isDeleted: boolean;
}

/** The same file describes experiments and, since MLflow 3, models: those have no run_id of their own. */
export function isRunMeta(bytes: Buffer): boolean {
  const head = bytes.toString('latin1');
  return /^run_(?:id|uuid): ?['"]?\w/m.test(head) && !/^model_id:/m.test(head);
}

/** Undefined for what describes an experiment or a model. */
export function parseMeta(bytes: Buffer): RunMeta | undefined {
  const { value } = parseSafeYaml(bytes, metaBytesMax);
  if (!isJsonObject(value))
    throw new UnreadableFile('no run of MLflow, or one that is being written: no mapping');
  const hasId = text(value['run_id']) !== undefined || text(value['run_uuid']) !== undefined;
  if (!hasId || Object.hasOwn(value, 'model_id')) return undefined;
  const startMs = timeOf(value['start_time']);
  const endMs = timeOf(value['end_time']);
  const spent =
    startMs !== undefined && endMs !== undefined && endMs >= startMs ? (endMs - startMs) / 1000 : undefined;
  return {
    status: String(value['status'] ?? ''),
    startedAt: startMs === undefined ? undefined : readTime(startMs)?.iso,
    endedAt: endMs === undefined ? undefined : readTime(endMs)?.iso,
    durationSeconds: spent,
    user: text(value['user_id']),
    isDeleted: value['lifecycle_stage'] === 'deleted',
  };
}

/** Milliseconds. */
function timeOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && value >= 1e11 && value < 1e14 ? value : undefined;
}
