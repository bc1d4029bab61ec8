import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { options, variableOf } from '../../src/config/schema.ts';
import { load, loadError, makeDirectory } from './support.ts';

test('loadConfig() without any setting but a bucket gives the defaults', () => {
  const { config, warnings, folderHash } = load();
  const { exclude, checkpoints } = config.companions;
  expect(warnings).toEqual([]);
  expect(config).toEqual({
    watch: {
      directory: '/nowhere/training-output',
      sessions: 'auto',
      shared: 'auto',
      polling: 'auto',
      settleMs: 'auto',
      rescanMs: 'auto',
      idleMs: 7_200_000,
      ignoreOlderThanMs: 604_800_000,
    },
    companions: { include: ['**'], exclude, checkpoints, bytesMax: 10 * 1024 ** 3, compression: 'none' },
    sessionLog: { bytesMax: 8 * 1024 ** 2, snapshotEveryMs: 300_000 },
    destination: {
      kind: 's3',
      bucket: 'my-logs',
      region: 'eu-central-1',
      pathStyle: false,
      keyTemplate: 'training-logs/{year}/{month}/{session-id}.log',
      tags: {},
      checksums: 'auto',
    },
    upload: {
      concurrency: 4,
      partSizeBytes: 8 * 1024 ** 2,
      partConcurrency: 4,
      memoryBytesMax: 48 * 1024 ** 2,
    },
    retry: { baseDelayMs: 1_000, maxDelayMs: 300_000 },
    state: { directory: `/home/ada/.local/state/trainlogd/node-1/${folderHash}` },
    retention: { localFiles: 'keep', keepForMs: 604_800_000 },
    drain: { timeoutMs: 25_000 },
    defaults: {},
    probes: { cloudMetadata: 'auto', providerApi: 'off' },
    report: { schedule: '*/5 * * * *', backlogAgeWarnMs: 900_000, credentialExpiryWarnMs: 86_400_000 },
    http: { listen: { address: '127.0.0.1', port: 9464 }, pages: 'loopback' },
    bucket: { tags: {}, expireAfterDays: 365 },
    log: { level: 'info', format: 'auto' },
  });
  expect(folderHash).toMatch(/^[0-9a-f]{12}$/);
});

test('the configuration is frozen to its depth', () => {
  const { config } = load({ env: { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'secret' } });
  expect(Object.isFrozen(config)).toBe(true);
  expect(Object.isFrozen(config.companions.exclude)).toBe(true);
  expect(config.destination.kind === 's3' && Object.isFrozen(config.destination.credentials)).toBe(true);
});

/** Each key, what its variable is set to, and what of the configuration follows. */
const everyKey: Record<
  keyof typeof options,
  readonly [text: string, expected: object, also?: Record<string, string>]
> = {
  'watch.directory': ['/data/runs', { watch: { directory: '/data/runs' } }],
  'watch.sessions': ['runs/*/*/', { watch: { sessions: 'runs/*/*/' } }],
  'watch.shared': ['true', { watch: { shared: true } }],
  'watch.polling': ['true', { watch: { polling: true } }],
  'watch.settle': ['3s', { watch: { settleMs: 3_000 } }],
  'watch.rescan': ['2m', { watch: { rescanMs: 120_000 } }],
  'watch.idle': ['1h', { watch: { idleMs: 3_600_000 } }],
  'watch.ignoreOlderThan': ['30d', { watch: { ignoreOlderThanMs: 2_592_000_000 } }],
  'companions.include': ['*.log, a.{b,c}', { companions: { include: ['*.log', 'a.{b,c}'] } }],
  'companions.exclude': ['*.bin', { companions: { exclude: ['*.bin'] } }],
  'companions.bytesMax': ['1GiB', { companions: { bytesMax: 1_073_741_824 } }],
  'companions.compression': ['zstd', { companions: { compression: 'zstd' } }],
  'sessionLog.bytesMax': ['1MiB', { sessionLog: { bytesMax: 1_048_576 } }],
  'sessionLog.snapshotEvery': ['2m', { sessionLog: { snapshotEveryMs: 120_000 } }],
  'destination.url': ['s3://other-logs', { destination: { bucket: 'other-logs' } }],
  'destination.region': ['us-west-2', { destination: { region: 'us-west-2' } }],
  'destination.endpoint': ['http://localhost:9000', { destination: { endpoint: 'http://localhost:9000' } }],
  'destination.pathStyle': ['true', { destination: { pathStyle: true } }],
  'destination.keyTemplate': [
    'training-logs/{session-id}',
    { destination: { keyTemplate: 'training-logs/{session-id}' } },
  ],
  'destination.storageClass': ['STANDARD_IA', { destination: { storageClass: 'STANDARD_IA' } }],
  'destination.encryption': ['AES256', { destination: { encryption: 'AES256' } }],
  'destination.kmsKeyId': [
    'alias/logs',
    { destination: { kmsKeyId: 'alias/logs', encryption: 'aws:kms' } },
    { TRAINLOGD_DESTINATION_ENCRYPTION: 'aws:kms' },
  ],
  'destination.tags': ['team=vision,cost=a=b', { destination: { tags: { team: 'vision', cost: 'a=b' } } }],
  'destination.checksums': ['md5', { destination: { checksums: 'md5' } }],
  'upload.concurrency': ['2', { upload: { concurrency: 2 } }],
  'upload.partSize': ['5MiB', { upload: { partSizeBytes: 5_242_880 } }],
  'upload.partConcurrency': ['1', { upload: { partConcurrency: 1 } }],
  'upload.memoryMax': ['64MiB', { upload: { memoryBytesMax: 67_108_864 } }],
  'upload.bandwidthMax': ['10MiB', { upload: { bandwidthBytesPerSecondMax: 10_485_760 } }],
  'retry.baseDelay': ['2s', { retry: { baseDelayMs: 2_000 } }],
  'retry.maxDelay': ['10m', { retry: { maxDelayMs: 600_000 } }],
  'state.directory': ['state', { state: { directory: '/nowhere/state' } }],
  'retention.localFiles': ['delete', { retention: { localFiles: 'delete' } }],
  'retention.keepFor': ['0s', { retention: { keepForMs: 0 } }],
  'drain.timeout': ['1m', { drain: { timeoutMs: 60_000 } }],
  'defaults.user': ['ada', { defaults: { user: 'ada' } }],
  'defaults.pod': ['gpuType=H100,gpuCount=8', { defaults: { pod: { gpuType: 'H100', gpuCount: 8 } } }],
  'defaults.costPerHour': ['12.5', { defaults: { costPerHour: 12.5 } }],
  'defaults.currency': ['EUR', { defaults: { currency: 'EUR' } }],
  'probes.cloudMetadata': ['off', { probes: { cloudMetadata: 'off' } }],
  'probes.providerApi': ['on', { probes: { providerApi: 'on' } }],
  'report.schedule': ['0 * * * *', { report: { schedule: '0 * * * *' } }],
  'report.backlogAgeWarn': ['5m', { report: { backlogAgeWarnMs: 300_000 } }],
  'report.credentialExpiryWarn': ['2h', { report: { credentialExpiryWarnMs: 7_200_000 } }],
  'http.listen': ['[::1]:80', { http: { listen: { address: '::1', port: 80 } } }],
  'http.pages': ['all', { http: { pages: 'all' } }],
  'bucket.tags': ['team=vision', { bucket: { tags: { team: 'vision' } } }],
  'bucket.accessLogBucket': ['access-logs', { bucket: { accessLogBucket: 'access-logs' } }],
  'bucket.expireAfter': ['36h', { bucket: { expireAfterDays: 2 } }],
  'log.level': ['debug', { log: { level: 'debug' } }],
  'log.format': ['json', { log: { format: 'json' } }],
};

describe('every key', () => {
  test.each(Object.entries(everyKey))('%s is also a variable', (key, [text, expected, also]) => {
    const name = variableOf(key as keyof typeof options);
    const { config, sources } = load({ env: { [name]: text, ...also } });
    expect(config).toMatchObject(expected);
    expect(sources).toMatchObject({ [key]: { layer: 'environment', at: `environment (${name})` } });
  });

  test.each(Object.entries(everyKey))('%s counts as unset where its variable is empty', (key) => {
    const name = variableOf(key as keyof typeof options);
    expect(load({ env: { [name]: ' ' } }).config).toEqual(load().config);
  });

  test.each([
    ['watch.settle', 'TRAINLOGD_WATCH_SETTLE'],
    ['destination.pathStyle', 'TRAINLOGD_DESTINATION_PATH_STYLE'],
    ['destination.kmsKeyId', 'TRAINLOGD_DESTINATION_KMS_KEY_ID'],
    ['sessionLog.bytesMax', 'TRAINLOGD_SESSION_LOG_BYTES_MAX'],
  ] as const)('%s has the variable %s', (key, name) => expect(variableOf(key)).toBe(name));
});

describe('precedence', () => {
  const places = ['overrides', 'environment', 'dotenv', 'yaml', 'default'] as const;
  const idle = { overrides: 1, environment: 2, dotenv: 3, yaml: 4, default: 120 };

  test.each(places)('%s goes before all that follow it', (first) => {
    const active = places.slice(places.indexOf(first));
    const cwd = makeDirectory({
      '.env': active.includes('dotenv') ? `TRAINLOGD_WATCH_IDLE=${idle.dotenv}m` : '',
      'c.yaml': active.includes('yaml') ? `watch:\n  idle: ${idle.yaml}m\n` : '',
    });
    const { config } = load({
      cwd,
      configFile: 'c.yaml',
      env: active.includes('environment') ? { TRAINLOGD_WATCH_IDLE: `${idle.environment}m` } : {},
      overrides: active.includes('overrides') ? { 'watch.idle': `${idle.overrides}m` } : {},
    });
    expect(config.watch.idleMs).toBe(idle[first] * 60_000);
  });

  test("a key of the file goes before the guide's ambient variable", () => {
    const cwd = makeDirectory({ 'c.yaml': 'destination: { url: s3://from-file, region: us-west-2 }' });
    const { config } = load({ cwd, configFile: 'c.yaml' });
    expect(config.destination).toMatchObject({ bucket: 'from-file', region: 'us-west-2' });
  });

  test('a value that another place overrides is not looked at', () => {
    const cwd = makeDirectory({ 'c.yaml': 'watch: { idle: nonsense }' });
    expect(load({ cwd, configFile: 'c.yaml', env: { TRAINLOGD_WATCH_IDLE: '1h' } }).config.watch.idleMs).toBe(
      3_600_000,
    );
  });
});

describe('the YAML file', () => {
  test('is named by --config, else by TRAINLOGD_CONFIG, else the one of the system', () => {
    const cwd = makeDirectory({
      'flag.yaml': 'log: { level: error }',
      'variable.yaml': 'log: { level: warn }',
      'system.yaml': 'log: { level: debug }',
    });
    const systemConfigFile = `${cwd}/system.yaml`;
    const env = { TRAINLOGD_CONFIG: 'variable.yaml' };
    expect(load({ cwd, systemConfigFile, env, configFile: 'flag.yaml' }).config.log.level).toBe('error');
    expect(load({ cwd, systemConfigFile, env }).config.log.level).toBe('warn');
    expect(load({ cwd, systemConfigFile }).config.log.level).toBe('debug');
    expect(load({ cwd, systemConfigFile }).sources['log.level'].at).toBe(`${systemConfigFile}:1`);
  });

  test('that is named and not there is a problem', () => {
    expect(loadError({ configFile: 'gone.yaml' }).message).toContain(
      '--config = "/nowhere/gone.yaml": there is no such file',
    );
    expect(loadError({ env: { TRAINLOGD_CONFIG: '/gone' } }).message).toContain('TRAINLOGD_CONFIG = "/gone"');
  });

  test.each([
    ['nothing', ''],
    ['a comment', '# nothing'],
    ['empty sections and values', 'watch:\nlog:\n  level:\n'],
    ['dotted keys', 'log.level: info\n'],
    ['an anchor and its alias', 'log: &a { level: info }\nwatch:\n  idle: 2h\n'],
  ])('may hold %s', (_, text) => {
    const cwd = makeDirectory({ 'c.yaml': text });
    expect(load({ cwd, configFile: 'c.yaml' }).config).toEqual(load({ cwd }).config);
  });

  test.each([
    ['a list', '- a', 'the file must be a mapping'],
    ['a section that is a value', 'watch: 5', 'watch (FILE:1): this section must be a mapping'],
    ['a key twice', 'log:\n  level: info\n  level: warn', 'FILE:3): not readable as YAML: duplicate key'],
    [
      'a key twice in two forms',
      'log.level: info\nlog:\n  level: warn',
      'log.level (FILE:3): set for the second time',
    ],
    ['an open quote', 'log:\n  level: "info', 'not readable as YAML: missing char'],
    [
      'an unquoted asterisk',
      'companions:\n  include:\n    - *.log',
      'put a value that begins with * in quotes',
    ],
    ['an alias as a section', 'watch: *x', 'watch (FILE:1)'],
    ['a foreign tag', 'log: !!js/function x', 'tag resolve failed'],
    ['deep nesting', '['.repeat(100_000), 'not readable as YAML'],
    ['alias bombs', bomb(), 'companions.include'],
    ['too much', `# ${'x'.repeat(2 ** 20)}`, 'larger than 1048576 bytes'],
    ['a schedule that is none', 'report:\n  schedule: daily', 'report.schedule'],
    ['an address that is none', 'http:\n  listen: somewhere', 'http.listen'],
    ['an unknown key', 'wacth:\n  idle: 1h', 'unknown key'],
  ])('with %s is refused', (_, text, expected) => {
    const cwd = makeDirectory({ 'c.yaml': text });
    const { message } = loadError({ cwd, configFile: 'c.yaml' });
    expect(message.replaceAll(`${cwd}/c.yaml`, 'FILE')).toContain(expected);
  });

  test('that is a named pipe, of which nobody may ever write anything, is refused at once; a .env is left out', () => {
    const cwd = makeDirectory({});
    execFileSync('mkfifo', [join(cwd, 'c.yaml'), join(cwd, '.env')]);
    expect(loadError({ cwd, configFile: 'c.yaml' }).message).toContain('cannot read it: a named pipe');
    expect(load({ cwd }).warnings.join()).toContain('a named pipe, which may never end; it was left out');
  });
});

function bomb(): string {
  const levels = Array.from({ length: 8 }, (_, level) => {
    const inner = level === 0 ? 'x' : `*a${level - 1}`;
    return `- &a${level} [${Array.from({ length: 9 }, () => inner).join(', ')}]`;
  });
  return `companions:\n  include:\n    ${levels.join('\n    ')}\n`;
}

test('all problems are reported at once, each with key, value, place, what is accepted and the nearest name', () => {
  const cwd = makeDirectory({
    'c.yaml':
      'watch:\n  setle: 2s\n  idle: 5\nupload: { concurrency: 0, partSize: 1MiB }\nlog: { level: loud }\n',
    '.env': 'AWS_ACCESS_KEY_ID=AKIA\n',
  });
  const error = loadError({
    cwd,
    configFile: 'c.yaml',
    env: { S3_BUCKET_NAME: undefined, TRAINLOGD_WACH_IDLE: '1h', TRAINLOGD_RETRY_BASE_DELAY: '6m' },
    overrides: { 'watch.polling': 'maybe' },
  });
  expect(error.message.replaceAll(`${cwd}/`, '').split('\n')).toEqual([
    'the configuration has 10 problems:',
    '  TRAINLOGD_WACH_IDLE (environment): unknown variable; did you mean TRAINLOGD_WATCH_IDLE?',
    '  watch.setle (c.yaml:2): unknown key; did you mean watch.settle?',
    '  watch.polling = "maybe" (command line): accepted: auto, true, false',
    '  watch.idle = 5 (c.yaml:3): the unit is missing; accepted: a duration from 100ms to 365d with its unit (ms, s, m, h, d), such as 2h',
    '  upload.concurrency = 0 (c.yaml:4): accepted: a whole number from 1 to 64',
    '  upload.partSize = "1MiB" (c.yaml:4): out of bounds; accepted: a size from 5MiB to 5GiB with its unit (B, KiB, MiB, GiB, TiB, KB, MB, …), such as 8MiB',
    '  log.level = "loud" (c.yaml:5): accepted: error, warn, info, debug',
    "  AWS_ACCESS_KEY_ID (.env:1): set without AWS_SECRET_ACCESS_KEY: set both, or neither to use the SDK's own chain (roles, profiles)",
    '  destination.url: no bucket is named: set S3_BUCKET_NAME=BUCKET, or destination.url to s3://BUCKET or file:///PATH',
    '  retry.baseDelay = "6m" (environment (TRAINLOGD_RETRY_BASE_DELAY)): accepted: at most retry.maxDelay, which is 5m',
  ]);
});

describe('environment variables', () => {
  test.each([
    ['TRAINLOGD_CONFIG_FILE', 'TRAINLOGD_CONFIG'],
    ['TRAINLOGD_WATCH_DIR', 'TRAINLOGD_WATCH_DIRECTORY'],
    ['TRAINLOGD_DESTINATION_PATHSTYLE', 'TRAINLOGD_DESTINATION_PATH_STYLE'],
  ])('%s is unknown and %s is offered', (name, near) => {
    const [problem] = loadError({ env: { [name]: 'x' } }).problems;
    expect(problem).toEqual({
      key: name,
      problem: `unknown variable; did you mean ${near}?`,
      at: `environment (${name})`,
    });
  });

  test.each([
    'TRAINLOGD_TEST_NO_INSTALL',
    'TRAINLOGD_SERVICE_HOST',
    'TRAINLOGD_SERVICE_PORT_METRICS',
    'TRAINLOGD_PORT',
    'TRAINLOGD_PORT_9464_TCP_ADDR',
    'OTHER',
  ])('%s is none of our options and left alone', (name) => {
    expect(load({ env: { [name]: 'x' } }).config).toEqual(load().config);
  });
});

test.each([
  ['watch.settle', '5ms'],
  ['watch.rescan', '25h'],
  ['watch.sessions', '/abs/*'],
  ['watch.sessions', '../*'],
  ['companions.include', '!*.log'],
  ['companions.exclude', '+*.a,*.b'],
  ['companions.bytesMax', '10'],
  ['destination.region', 'eu central'],
  ['destination.endpoint', 'localhost:9000'],
  ['destination.endpoint', 'http://user:pw@host'],
  ['destination.encryption', 'aes256'],
  ['destination.tags', 'aws:x=y'],
  ['destination.tags', Array.from({ length: 11 }, (_, n) => `t${n}=x`).join()],
  ['upload.concurrency', '1.5'],
  ['upload.partSize', '6GiB'],
  ['defaults.pod', 'gpus=3'],
  ['defaults.pod', 'gpuCount=many'],
  ['defaults.costPerHour', '-1'],
  ['defaults.currency', 'usd'],
  ['log.level', 'trace'],
] as const)('%s = %s is refused with what is accepted', (key, value) => {
  const { problems } = loadError({ env: { [variableOf(key)]: value } });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatchObject({
    key,
    problem: expect.stringContaining(`accepted: ${options[key].type.accepts}`),
  });
});

describe('companions.exclude', () => {
  test('+GLOB adds to the defaults', () => {
    const { exclude } = load({ overrides: { 'companions.exclude': ['+*.npz', '++(a)'] } }).config.companions;
    expect(exclude).toEqual([...load().config.companions.exclude, '*.npz', '+(a)']);
  });

  test('a plain list replaces them, an empty one leaves nothing out, and neither changes what a checkpoint is', () => {
    const replaced = load({ overrides: { 'companions.exclude': [] } }).config.companions;
    expect(replaced.exclude).toEqual([]);
    expect(replaced.checkpoints).toEqual(load().config.companions.checkpoints);
  });
});
