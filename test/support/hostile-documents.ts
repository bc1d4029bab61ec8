import { expect } from 'vitest';
import { expectSameBytes, type HostileRow, write } from './hostile.ts';

/** What a session.json or a result.json can hold. */
const cannotBeRead = (row: { name: string; text: string | Uint8Array; why: RegExp }): HostileRow => ({
  name: `a session.json that is ${row.name}`,
  make: (place) => write(place, 'hostile/session.json', row.text),
  companions: ['session.json'],
  warnings: [new RegExp(`^session\\.json: cannot be read, ships as a companion: ${row.why.source}`)],
  log: (log, place) => expectSameBytes(place, log, 'session.json'),
});

const startedNow = (year: string): HostileRow => ({
  name: `a start in ${year}`,
  make: (place) =>
    write(place, 'hostile/session.json', `{"id":"when","startedAt":"${year}-01-01T00:00:00Z"}`),
  companions: [],
  warnings: [
    new RegExp(`^startedAt ${year}-01-01T00:00:00\\S*Z is before 2015 or in the future, and not believed$`),
  ],
  log: (log) => {
    const ageMs = Date.now() - Date.parse(log.session.startedAt);
    expect(Math.abs(ageMs)).toBeLessThan(60_000);
  },
});

const isRedacted = (path: string) =>
  new RegExp(
    `^${path.replaceAll(/[.[\]]/g, '\\$&')} looked like a secret or an e-mail address and is redacted$`,
  );

const secret = 'sk-ant-api03-Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4';

export const hostileDocuments: readonly HostileRow[] = [
  cannotBeRead({ name: 'an array', text: '[{"id":"x"}]', why: /expected an object, found an array/ }),
  cannotBeRead({
    name: '200 levels deep',
    text: `{"id":"x","config":${'['.repeat(200)}${']'.repeat(200)}}`,
    why: /more than 64 levels deep/,
  }),
  cannotBeRead({
    name: 'half written',
    text: '{"id":"x","user":{"usern',
    why: /the file ends in the middle/,
  }),
  cannotBeRead({ name: 'binary', text: Buffer.from('\0\u0001\u0002{"id":1}'), why: /expected a value/ }),
  cannotBeRead({
    name: 'a Git LFS pointer',
    text: 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n',
    why: /a Git LFS pointer, not the file itself/,
  }),
  startedNow('1970'),
  startedNow('9999'),
  {
    name: 'a session.json and a result.json that carry secrets',
    make: async (place) => {
      const session = {
        id: 'hostile-secrets',
        user: { username: 'ada@example.com' },
        config: {
          epochs: 3,
          apiKey: secret,
          command: `train.py --api-key ${secret} --lr 1`,
          env: { HF_TOKEN: secret },
        },
      };
      await write(place, 'hostile/session.json', JSON.stringify(session));
      await write(
        place,
        'hostile/result.json',
        JSON.stringify({ status: 'failed', error: `401 for ${secret}` }),
      );
    },
    companions: [],
    warnings: [
      ...['user.username', 'config.apiKey', 'config.command', 'config.env.HF_TOKEN'].map((path) =>
        isRedacted(`native.["session.json"].${path}`),
      ),
      isRedacted('native.["result.json"].error'),
      ...['user.username', 'config.raw.apiKey', 'config.raw.command', 'config.raw.env.HF_TOKEN'].map(
        isRedacted,
      ),
      isRedacted('results.error'),
    ],
    never: new RegExp(`${secret}|ada@example\\.com`),
    log: (log) => expect(log.config?.epochs).toBe(3),
  },
  {
    name: 'an id that leads out of its folder',
    make: (place) => write(place, 'hostile/session.json', '{"id":"../../../etc/cron.d/x"}'),
    companions: [],
    warnings: [
      /^session\.json: id "\.\.\/\.\.\/\.\.\/etc\/cron\.d\/x" is no legal id, "[A-Za-z0-9._-]+" is used$/,
    ],
  },
  {
    name: 'fields of every wrong kind',
    make: (place) =>
      write(
        place,
        'hostile/session.json',
        '{"id":{},"user":[],"pod":{"gpuCount":-1,"costPerHour":"free"},"config":7}',
      ),
    companions: [],
    warnings: [
      /id is left out/,
      /user is left out/,
      /config is left out/,
      /gpuCount is left out/,
      /costPerHour is left out/,
    ],
  },
];
