import type { Clock } from '../ports/clock.ts';
import type { EventCounts } from '../ports/event-counts.ts';
import type { EventMap, EventName, Events } from '../ports/events.ts';

type Counting = { -readonly [Key in keyof EventCounts]: EventCounts[Key] } & {
  sessionsEnded: Record<string, number>;
};
type Rules = { readonly [Name in EventName]?: (counts: Counting, fields: EventMap[Name]) => void };

/** What each event adds; events that are not named here are not counted. */
const rules: Rules = {
  'session.found': (counts) => add(counts, 'sessionsFound'),
  'session.sealed': ({ sessionsEnded }, { status }) => {
    if (Object.hasOwn(sessionsEnded, status)) sessionsEnded[status] = (sessionsEnded[status] ?? 0) + 1;
  },
  'session.vanished': (counts) => add(counts, 'sessionsVanished'),
  'session.warning': (counts, { more }) => add(counts, 'sessionWarnings', 1 + more),
  'session.shipped': (counts) => add(counts, 'finalLogs'),
  'session.snapshot': (counts) => add(counts, 'snapshots'),
  'file.uploaded': (counts, { sizeBytes, durationMs }) => {
    add(counts, 'uploadedFiles');
    add(counts, 'uploadedBytes', sizeBytes);
    add(counts, 'uploadMs', durationMs);
  },
  'file.parked': (counts) => add(counts, 'parked'),
  'file.vanished': (counts) => add(counts, 'vanishedFiles'),
  'file.deleted': (counts, { sizeBytes }) => {
    add(counts, 'deletedFiles');
    add(counts, 'deletedBytes', sizeBytes);
  },
  'upload.retry': (counts) => add(counts, 'retries'),
  'upload.restarted': (counts) => add(counts, 'uploadsRestarted'),
  'destination.blocked': (counts) => add(counts, 'blocks'),
  'destination.throttled': (counts) => add(counts, 'throttles'),
  'credentials.problem': (counts) => add(counts, 'renewalsFailed'),
};

const successes: ReadonlySet<EventName> = new Set(['session.shipped', 'session.snapshot', 'file.uploaded']);

/** Counts what passes on its way to others. One for the whole process. */
export class EventCounter {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #counts: Counting;

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
    this.#counts = nothing(clock.nowMs());
  }

  get counts(): EventCounts {
    return this.#counts;
  }

  counted<To extends Events>(events: To): To {
    const emit = <Name extends EventName>(name: Name, fields: EventMap[Name]): void => {
      this.#count(name, fields);
      events.emit(name, fields);
    };
    return { ...events, emit };
  }

  #count<Name extends EventName>(name: Name, fields: EventMap[Name]): void {
    rules[name]?.(this.#counts, fields);
    if (successes.has(name)) this.#counts.lastSuccessAtMs = this.#clock.nowMs();
  }
}

type Amounts = { [Key in keyof Counting]: Counting[Key] extends number ? Key : never }[keyof Counting];

function add(counts: Counting, key: Amounts, amount = 1): void {
  counts[key] += amount;
}

function nothing(startedAtMs: number): Counting {
  return {
    startedAtMs,
    sessionsFound: 0,
    sessionsEnded: { completed: 0, failed: 0, cancelled: 0, interrupted: 0, stalled: 0 },
    sessionsVanished: 0,
    sessionWarnings: 0,
    finalLogs: 0,
    snapshots: 0,
    uploadedFiles: 0,
    uploadedBytes: 0,
    uploadMs: 0,
    uploadsRestarted: 0,
    retries: 0,
    blocks: 0,
    parked: 0,
    throttles: 0,
    vanishedFiles: 0,
    deletedFiles: 0,
    deletedBytes: 0,
    renewalsFailed: 0,
    lastSuccessAtMs: undefined,
  };
}
