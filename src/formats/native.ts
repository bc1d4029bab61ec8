import { sessionBegunAtMs } from '../domain/earlier-run.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts';
import { displayPath } from '../domain/watched-path.ts';
import { jsonBytesMax, parseLenientJson, UnreadableJson } from './parts/lenient-json.ts';
import { FieldNotes, resultFacts, sessionFacts } from './parts/native-fields.ts';
import type { Assessment, Ending, Facts, FileInfo, FormatReader, Provenance, ReadFile } from './reader.ts';

/** trainlogd's own two files: session.json says who, where and with what; result.json how it ended. */

const sessionFile = 'session.json';
const resultFile = 'result.json';
const endStatuses = ['completed', 'failed', 'cancelled'] as const;

export const nativeReader: FormatReader = {
  name: 'native',

  recognise({ names }) {
    if (names.has(sessionFile)) return { confidence: 'certain', reason: sessionFile };
    // A result alone may also be that of an evaluation inside a run.
    if (names.has(resultFile)) return { confidence: 'likely', reason: resultFile };
    return undefined;
  },

  select(files) {
    const own = files.filter(({ path }) => path === sessionFile || path === resultFile);
    return own.map(({ path }) => ({
      manner: 'whole' as const,
      path,
      keep: 'native' as const,
      bytesMax: jsonBytesMax,
      parse: readPart,
    }));
  },

  assess(read) {
    // In this order, whatever the order of the files.
    const session = partsOf(read, sessionFile);
    const result = partsOf(read, resultFile);
    return isOfEarlierRun(result[0], session[0])
      ? withoutResult(session, result)
      : join([...session, ...result]);
  },
};

interface ReadPart extends Part {
  readonly modifiedAtMs: number;
}

function partsOf(read: readonly ReadFile[], name: string): ReadPart[] {
  // `parse` gave it.
  return read.flatMap(({ path, parsed, modifiedAtMs }) =>
    path === name ? [{ ...(parsed as Part), modifiedAtMs }] : [],
  );
}

function isOfEarlierRun(result: ReadPart | undefined, session: ReadPart | undefined): boolean {
  const startedAt = session?.facts.startedAt;
  if (result === undefined || session === undefined || startedAt === undefined) return false;
  const begun = { startedAtMs: Date.parse(startedAt), writtenAtMs: session.modifiedAtMs };
  return result.modifiedAtMs < sessionBegunAtMs(begun);
}

/** It is kept as it is, and says nothing. */
function withoutResult(session: readonly Part[], result: readonly Part[]): Assessment {
  const { documents } = join(result);
  const assessment = join(session);
  return {
    ...assessment,
    documents: { ...assessment.documents, ...documents },
    warnings: [
      ...assessment.warnings,
      `${resultFile}: not used: it was written before this session was begun`,
    ],
  };
}

/**
 * `<name>.json` straight in the watched folder: a session when it has an `id` or a `startedAt` of the right shape, and
 * user, pod and config, where it has them, are objects. It may carry the fields of result.json beside them.
 */
export function readOneFileSession(name: string, bytes: Buffer): Assessment | undefined {
  const document = tryParse(bytes);
  if (document === undefined) return undefined;
  const { value, warnings } = document;
  if (!isJsonObject(value) || !looksLikeSession(value)) return undefined;
  const notes = new FieldNotes(displayPath(name));
  const facts = { ...sessionFacts(value, notes), ...resultFacts(value, notes) };
  const ending = endingOf(value, facts, notes, ['running']);
  return {
    facts,
    provenance: notes.provenance,
    ...(ending && { ending }),
    documents: { [displayPath(name)]: value },
    warnings: [...warnings.map((warning) => `${displayPath(name)}: ${warning}`), ...notes.warnings],
  };
}

function looksLikeSession(document: JsonObject): boolean {
  for (const section of ['user', 'pod', 'config']) {
    const value = Object.hasOwn(document, section) ? document[section] : undefined;
    if (value !== undefined && value !== null && !isJsonObject(value)) return false;
  }
  const { id, startedAt } = sessionFacts(document, new FieldNotes(''));
  return id !== undefined || startedAt !== undefined;
}

function tryParse(bytes: Buffer): { value: JsonValue; warnings: readonly string[] } | undefined {
  try {
    return parseLenientJson(bytes);
  } catch (error) {
    if (error instanceof UnreadableJson) return undefined;
    throw error;
  }
}

interface Part {
  readonly file: string;
  readonly document: JsonObject;
  readonly facts: Facts;
  readonly provenance: Provenance;
  readonly ending?: Ending;
  readonly warnings: readonly string[];
}

function readPart(bytes: Buffer, file: FileInfo & { complete: boolean }): Part {
  if (!file.complete) {
    throw new UnreadableJson(
      'tooLarge',
      `${file.sizeBytes} bytes, more than the ${jsonBytesMax} that are read`,
    );
  }
  const { value, warnings } = parseLenientJson(bytes);
  if (!isJsonObject(value)) {
    throw new UnreadableJson('syntax', `expected an object, found ${describeJson(value)}`);
  }
  const notes = new FieldNotes(file.path);
  notes.warnings.push(...warnings.map((warning) => `${file.path}: ${warning}`));
  return readDocument(file.path, value, notes);
}

function readDocument(file: string, document: JsonObject, notes: FieldNotes): Part {
  const facts = file === sessionFile ? sessionFacts(document, notes) : resultFacts(document, notes);
  const ending = file === resultFile ? endingOf(document, facts, notes, []) : undefined;
  const { provenance, warnings } = notes;
  return { file, document, facts, provenance, ...(ending && { ending }), warnings };
}

/** `known`: what else a status may say without an end and without a warning. */
function endingOf(
  document: JsonObject,
  facts: Facts,
  notes: FieldNotes,
  known: readonly string[],
): Ending | undefined {
  const found = Object.hasOwn(document, 'status') ? document['status'] : undefined;
  const status = endStatuses.find((one) => one === found);
  if (status === undefined) {
    const unnamed = notes.file === resultFile || found !== undefined;
    if (unnamed && !known.some((one) => one === found)) {
      notes.warn('status', `is no end: expected ${endStatuses.join(', ')}, found ${describeStatus(found)}`);
    }
    return undefined;
  }
  notes.took('session.status');
  const { endedAt, results } = facts;
  return {
    status,
    by: notes.file,
    ...(endedAt !== undefined && { endedAt }),
    ...(results?.error !== undefined && { error: results.error }),
  };
}

function describeStatus(found: JsonValue | undefined): string {
  if (found === undefined) return 'nothing';
  return typeof found === 'string' && /^\w{1,32}$/.test(found) ? `"${found}"` : describeJson(found);
}

function join(parts: readonly Part[]): Assessment {
  const ending = parts.find((part) => part.ending)?.ending;
  return {
    facts: Object.assign({}, ...parts.map((part) => part.facts)),
    provenance: Object.assign({}, ...parts.map((part) => part.provenance)),
    ...(ending && { ending }),
    documents: Object.fromEntries(parts.map(({ file, document }) => [file, document])),
    warnings: parts.flatMap((part) => part.warnings),
  };
}
