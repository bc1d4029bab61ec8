import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ComposeInput, composeLog, isListed, type LoggedFile } from '../../src/domain/compose-log.ts';
import type { Facts } from '../../src/domain/facts.ts';
import { type SessionLog, sessionLogSchema } from '../../src/domain/session-log.ts';
import { displayPath } from '../../src/domain/watched-path.ts';
import { draftOf, identityOf, receiptOf } from '../support/journal.ts';

const startedAtMs = Date.UTC(2026, 0, 31, 12);
const roomy = 8 * 1024 * 1024;

function inputOf(with_: Partial<ComposeInput> = {}): ComposeInput {
  const identity = identityOf('run-7', { startedAtMs });
  return {
    identity,
    draft: draftOf(),
    revision: 1,
    files: [],
    previous: undefined,
    bytesMax: roomy,
    ...with_,
  };
}

function fileOf(path: string, state: string, with_: Partial<LoggedFile> = {}): LoggedFile {
  const receipt = state === 'uploaded' ? receiptOf(`e-${path}`) : undefined;
  return {
    path,
    role: 'companion',
    key: `k/${path}`,
    sizeBytes: 10,
    state,
    uncertain: false,
    receipt,
    failure: undefined,
    ...with_,
  };
}

function compose(with_: Partial<ComposeInput> = {}): SessionLog {
  return sessionLogSchema.parse(JSON.parse(composeLog(inputOf(with_)).text));
}

/** A source that knows these facts. */
const source = (name: string, facts: Facts) => ({ source: name, facts, provenance: {} });
const draftWith = (facts: Facts, with_: Partial<ComposeInput['draft']> = {}): ComposeInput['draft'] => ({
  ...draftOf(),
  sources: [source('session.json', facts)],
  ...with_,
});

describe('a file of a session', () => {
  const old = receiptOf('old');
  test.each<[string, LoggedFile, string, string | undefined]>([
    ['that arrived is listed', fileOf('a', 'uploaded'), 'listed', undefined],
    [
      'that arrived and was deleted here is listed',
      fileOf('a', 'deleted', { receipt: old }),
      'listed',
      undefined,
    ],
    ['that waits is missing', fileOf('a', 'pending'), '', 'pending'],
    [
      'whose newer bytes wait is missing and not listed',
      fileOf('a', 'pending', { receipt: old }),
      '',
      'pending',
    ],
    [
      'that is being written is missing',
      fileOf('a', 'pending', { failure: { reason: 'changing' } }),
      '',
      'changing',
    ],
    [
      'that cannot be read is missing',
      fileOf('a', 'parked', { failure: { reason: 'unreadable' } }),
      '',
      'unreadable',
    ],
    ['that is parked is missing', fileOf('a', 'parked'), '', 'parked'],
    ['whose newer bytes are parked is both', fileOf('a', 'parked', { receipt: old }), 'listed', 'parked'],
    ['that vanished is missing', fileOf('a', 'gone'), '', 'vanished'],
    ['whose newer bytes vanished is both', fileOf('a', 'gone', { receipt: old }), 'listed', 'vanished'],
    [
      'whose newer bytes vanished, perhaps after they were sent, is missing',
      fileOf('a', 'gone', { receipt: old, uncertain: true }),
      '',
      'vanished',
    ],
    ['that is left out is neither', fileOf('a', 'none', { role: 'other' }), '', undefined],
  ])('%s', (_, file, listed, reason) => {
    const log = compose({ files: [file] });
    expect(log.companions.map(({ path }) => path)).toEqual(listed === '' ? [] : ['a']);
    expect(log.missing).toEqual(reason === undefined ? [] : [{ path: 'a', bytes: 10, reason }]);
  });

  test('is listed with what it takes to check it', () => {
    const receipt = receiptOf('e-2', { sizeBytes: 99, partSizeBytes: 8 });
    expect(compose({ files: [fileOf('\udcff', 'uploaded', { receipt })] }).companions).toEqual([
      {
        path: '%FF',
        key: 'k/\ufffd',
        bytes: 99,
        etag: 'e-2',
        partSize: 8,
        crc32: 'AAAAAA==',
        contentType: 'text/plain',
      },
    ]);
    const unknown = receiptOf('e', { crc32: '' });
    expect(
      compose({ files: [fileOf('a', 'uploaded', { receipt: unknown })] }).companions[0],
    ).not.toHaveProperty('crc32');
  });

  test('that the draft names as well is named once, by what the journal knows', () => {
    const missing = [
      { path: 'a', reason: 'unreadable' as const },
      { path: 'b', bytes: 1, reason: 'tooLarge' as const },
    ];
    const files = [fileOf('a', 'parked')];
    expect(compose({ files, draft: { ...draftOf(), missing } }).missing).toEqual([
      { path: 'a', bytes: 10, reason: 'parked' },
      { path: 'b', bytes: 1, reason: 'tooLarge' },
    ]);
  });
});

describe('facts', () => {
  test('of a better source win, field by field, and each names its source', () => {
    const draft = {
      ...draftOf(),
      sources: [
        source('session.json', { config: { epochs: 3 } }),
        source('args.json', { config: { epochs: 4, seed: 1 }, pod: { gpuType: 'A40' } }),
      ],
    };
    const log = compose({ draft });
    expect(log.config).toEqual({ epochs: 3, seed: 1 });
    expect(log.provenance).toMatchObject({
      'config.epochs': 'session.json',
      'config.seed': 'args.json',
      'pod.gpuType': 'args.json',
      'session.startedAt': 'session.json',
    });
  });

  test('of an earlier revision stay where nothing contradicts them, native files included', () => {
    const previous = compose({
      draft: draftWith(
        { version: '2', user: { username: 'ada' }, config: { epochs: 3, raw: { lr: 1 } } },
        { documents: { 'session.json': { id: 'run-7' }, 'result.json': {} } },
      ),
    });
    const draft = draftWith(
      { config: { epochs: 5, raw: { wd: 2 } } },
      { documents: { 'result.json': { status: 'completed' } } },
    );
    const log = compose({ draft, previous, revision: 2 });
    expect(log.config).toEqual({ epochs: 5, raw: { wd: 2, lr: 1 } });
    expect(log.user).toEqual({ username: 'ada' });
    expect(log.session).toMatchObject({ version: '2', revision: 2 });
    expect(log.native).toEqual({ 'session.json': { id: 'run-7' }, 'result.json': { status: 'completed' } });
    expect(log.provenance['user.username']).toBe('session.json');
  });

  test('that an earlier revision guessed are guessed anew', () => {
    const guess = (endedAt: string) => ({
      ...draftWith({ pod: { costPerHour: 2 } }),
      inferred: source('file times', { endedAt }),
    });
    const previous = compose({ draft: guess('2026-01-31T13:00:00Z') });
    expect(previous.pod?.cost).toBe(2);
    const log = compose({ draft: guess('2026-01-31T14:00:00Z'), previous });
    expect(log.session.endedAt).toBe('2026-01-31T14:00:00Z');
    expect(log.results?.durationSeconds).toBe(7200);
    expect(log.pod?.cost).toBe(4);
  });

  test('that are reckoned say so, and give way to what was said', () => {
    const facts = { endedAt: '2026-01-31T13:00:00Z', pod: { costPerHour: 1.5 } };
    const log = compose({ draft: draftWith(facts, { checkpoints: [{ path: 'c', bytes: 1 }] }) });
    expect(log.results).toEqual({ durationSeconds: 3600, checkpointsSaved: [{ path: 'c', bytes: 1 }] });
    expect(log.pod?.cost).toBe(1.5);
    expect(log.provenance).toMatchObject({
      'results.durationSeconds': 'computed: end minus start',
      'pod.cost': 'computed: hours times price per hour',
      'results.checkpointsSaved': 'file times',
    });
    const said = { ...facts, results: { durationSeconds: 60, checkpointsSaved: [] }, pod: { cost: 9 } };
    expect(compose({ draft: draftWith(said, { checkpoints: [{ path: 'c', bytes: 1 }] }) })).toMatchObject({
      results: { durationSeconds: 60, checkpointsSaved: [] },
      pod: { cost: 9 },
    });
  });

  test('that would make no number are left out', () => {
    const endless = { pod: { costPerHour: Number.MAX_VALUE }, results: { durationSeconds: 3600 } };
    expect(compose({ draft: draftWith(endless) }).pod).toEqual({ costPerHour: Number.MAX_VALUE });
    const backwards = { endedAt: '2026-01-31T11:00:00Z' };
    expect(compose({ draft: draftWith(backwards) }).results).toBeUndefined();
  });

  test('a running session has no end yet', () => {
    const draft = { ...draftWith({ endedAt: '2026-01-31T13:00:00Z' }), status: 'running' as const };
    expect(compose({ draft }).session).not.toHaveProperty('endedAt');
  });

  test('warnings are said once', () => {
    const identity = identityOf('run-7', { warnings: ['w', 'v'] });
    expect(compose({ identity, draft: { ...draftOf(), warnings: ['w', 'u', 'u'] } }).warnings).toEqual([
      'w',
      'v',
      'u',
    ]);
  });
});

describe('a log that would be too large', () => {
  const documents = { 'session.json': { note: 'n'.repeat(4000) } };
  const facts: Facts = {
    config: { epochs: 1, raw: { r: 'r'.repeat(4000) } },
    results: { stepsCompleted: 1, metrics: { m: 'm'.repeat(4000) } },
  };
  const checkpoints = Array.from({ length: 40 }, (_, at) => ({
    path: `checkpoint-${at}`.padEnd(80, 'x'),
    bytes: 1,
  }));
  const large = {
    draft: draftWith(facts, { documents, checkpoints }),
    files: [fileOf('a', 'uploaded'), fileOf('b', 'gone')],
  };

  test.each([
    [20_000, []],
    [15_000, ['native']],
    [10_000, ['native', 'config.raw']],
    [6_000, ['native', 'config.raw', 'results.metrics']],
    [3_000, ['native', 'config.raw', 'results.metrics', 'results.checkpointsSaved']],
    [
      10,
      [
        'native',
        'config.raw',
        'results.metrics',
        'results.checkpointsSaved',
        'companions[].contentType',
        'the',
      ],
    ],
  ])('at %d bytes leaves out, and says so: %j', (bytesMax, left) => {
    const composed = composeLog(inputOf({ ...large, bytesMax }));
    const log = sessionLogSchema.parse(JSON.parse(composed.text));
    if (bytesMax > 10) expect(Buffer.byteLength(composed.text)).toBeLessThanOrEqual(bytesMax);
    expect(log.warnings.map((warning) => warning.split(' ')[0])).toEqual(left);
    expect(log.companions.map(({ path }) => path)).toEqual(['a']);
    expect(log.missing.map(({ path }) => path)).toEqual(['b']);
    expect(log.config?.epochs).toBe(1);
  });

  test('has one digest for all revisions, at every limit', () => {
    const one = Buffer.byteLength(composeLog(inputOf(large)).text);
    for (let bytesMax = one - 2; bytesMax <= one + 20; bytesMax++) {
      const digests = [1, 9, 10, 12_345].map(
        (revision) => composeLog(inputOf({ ...large, bytesMax, revision })).digest,
      );
      expect(new Set(digests).size, String(bytesMax)).toBe(1);
    }
  });
});

describe('whatever is known', () => {
  const amount = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true });
  const time = fc
    .date({ min: new Date('2015-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString());
  const text = fc.string({ unit: 'binary', maxLength: 8 });
  const some = <T>(of: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(of, { requiredKeys: [] });
  const free = fc.dictionary(text, fc.oneof(text, amount, fc.constant(null)), { maxKeys: 3 });
  const facts: fc.Arbitrary<Facts> = some({
    version: text,
    framework: text,
    endedAt: time,
    user: some({ username: text, sessionStartedAt: time }),
    pod: some({ gpuType: text, gpuCount: fc.integer({ min: 1 }), costPerHour: amount, cost: amount }),
    config: some({ epochs: amount, seed: fc.integer(), raw: free }),
    results: some({ durationSeconds: amount, error: text, metrics: free }),
  }) as fc.Arbitrary<Facts>;
  const reason = fc.constantFrom('changing' as const, 'unreadable' as const, 'parked' as const);
  const path = fc.constantFrom('a', 'b', 'a/b', 'é', '\udcff', 'x\ny', '__proto__', '%FE');
  const file = fc
    .record({
      path,
      role: fc.constantFrom('companion', 'other'),
      state: fc.constantFrom('pending', 'uploaded', 'parked', 'gone', 'deleted', 'none'),
      isThere: fc.boolean(),
      mayHaveChanged: fc.boolean(),
      failure: fc.option(fc.record({ reason }), { nil: undefined }),
    })
    .map(({ isThere, mayHaveChanged, ...rest }): LoggedFile => {
      const isSure = ['uploaded', 'deleted', 'none'].includes(rest.state);
      const receipt = isSure || isThere ? receiptOf(`e-${rest.path}`) : undefined;
      return { ...rest, uncertain: !isSure && mayHaveChanged, key: `k/${rest.path}`, sizeBytes: 10, receipt };
    });
  const draft = fc
    .record({
      status: fc.constantFrom('running' as const, 'completed' as const, 'stalled' as const),
      sources: fc.array(
        facts.map((one) => source('a reader', one)),
        { maxLength: 3 },
      ),
      inferred: facts.map((one) => source('file times', one)),
      missing: fc.uniqueArray(fc.record({ path: path.map(displayPath), reason }), {
        selector: (one) => one.path,
      }),
      documents: fc.dictionary(fc.constantFrom('session.json', 'result.json'), free, { maxKeys: 2 }),
      warnings: fc.array(text, { maxLength: 2 }),
    })
    .map((parts): ComposeInput['draft'] => ({ ...draftOf(), ...parts }));
  const input = fc
    .record({
      draft,
      files: fc.uniqueArray(file, { selector: (one) => one.path, maxLength: 6 }),
      bytesMax: fc.constantFrom(roomy, 900, 10),
      revision: fc.integer({ min: 1, max: 1e6 }),
      before: fc.option(draft, { nil: undefined }),
    })
    .map(({ before, ...rest }) => inputOf({ ...rest, previous: before && compose({ draft: before }) }));
  const holds = (check: (given: ComposeInput, log: SessionLog) => void) =>
    fc.assert(
      fc.property(input, (given) => {
        const composed = composeLog(given);
        check(given, sessionLogSchema.parse(JSON.parse(composed.text)));
        expect(composeLog({ ...given, revision: given.revision + 1 }).digest).toBe(composed.digest);
      }),
    );

  test('the log is valid and has one digest for all revisions', () => holds(() => {}));

  test('it lists what has a receipt and is not to be replaced, and nothing else', () => {
    holds((given, log) => {
      const expected = given.files.filter(
        (one) => one.role === 'companion' && one.receipt && one.state !== 'pending' && !one.uncertain,
      );
      expect(given.files.filter(isListed)).toEqual(expected);
      expect(log.companions.map(({ etag }) => etag)).toEqual(
        expected.map((one) => one.receipt?.etag.toWellFormed()),
      );
    });
  });

  test('it names each unsent companion once, and whatever the draft names', () => {
    holds((given, log) => {
      const unsent = given.files.filter(
        (one) => one.role === 'companion' && ['pending', 'parked', 'gone'].includes(one.state),
      );
      const named = log.missing.map((one) => one.path);
      expect(named).toEqual([...new Set(named)]);
      const expected = [
        ...unsent.map((one) => displayPath(one.path)),
        ...given.draft.missing.map((one) => one.path),
      ];
      expect(new Set(named)).toEqual(new Set(expected));
    });
  });

  test('it drops no companion in silence, however small it must be', () => {
    holds((given, log) => {
      const spokenOf = new Set([...log.companions, ...log.missing].map((one) => one.path));
      for (const one of given.files)
        if (one.role === 'companion') expect(spokenOf).toContain(displayPath(one.path));
    });
  });

  test('it keeps what the log before it knew for sure', () => {
    holds(({ previous, draft: given, bytesMax }, log) => {
      if (!previous || bytesMax < roomy) return;
      const isSure = (name: string) =>
        !/^(file times|computed)/.test(previous.provenance[name] ?? 'file times');
      const said = given.sources.map((one) => one.facts);
      for (const [section, field] of [
        ['user', 'username'],
        ['pod', 'gpuType'],
        ['config', 'epochs'],
        ['results', 'error'],
      ] as const) {
        const before = (previous[section] as Record<string, unknown> | undefined)?.[field];
        const isContradicted = said.some(
          (one) => (one[section] as Record<string, unknown> | undefined)?.[field] !== undefined,
        );
        if (before === undefined || isContradicted || !isSure(`${section}.${field}`)) continue;
        expect((log[section] as Record<string, unknown>)[field], `${section}.${field}`).toEqual(before);
      }
    });
  });
});
