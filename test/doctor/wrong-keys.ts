import { errorAnswer } from '../support/scripted-s3.ts';
import { blocked, scripted, secrets, type WrongWay } from './wrong-way.ts';

const temporary = {
  AWS_ACCESS_KEY_ID: 'ASIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: secrets.amazon,
  AWS_SESSION_TOKEN: secrets.token,
};

/** Who we are, and what time we think it is. */
export const wrongKeys: readonly WrongWay[] = [
  {
    name: 'a secret that is not that of the key',
    make: async () => ({ AWS_SECRET_ACCESS_KEY: secrets.wrong }),
    doctor: {
      code: 'credentials.secretWrong',
      cause: /secret does not belong/,
      remedy: /AWS_SECRET_ACCESS_KEY/,
    },
    log: blocked('SignatureDoesNotMatch', /AWS_SECRET_ACCESS_KEY: it does not belong/),
  },
  {
    name: 'a key that nobody knows',
    make: async () => ({ AWS_ACCESS_KEY_ID: 'NOBODYKNOWSTHISKEY01' }),
    doctor: { code: 'credentials.keyUnknown', cause: /key is not known/, remedy: /AWS_ACCESS_KEY_ID/ },
    log: blocked('InvalidAccessKeyId', /AWS_ACCESS_KEY_ID: the server knows no such key/),
  },
  {
    name: 'no credentials at all',
    make: async () => ({
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_EC2_METADATA_DISABLED: 'true',
    }),
    doctor: {
      code: 'credentials.missing',
      cause: /no credentials are set up/,
      remedy: /AWS_ACCESS_KEY_ID and/,
    },
    log: blocked('NoCredentials', /give credentials: AWS_ACCESS_KEY_ID/),
  },
  {
    name: 'a token that has expired',
    make: async () => ({ ...temporary, ...(await scripted(() => errorAnswer(400, 'ExpiredToken'))) }),
    doctor: { code: 'credentials.expired', cause: /have expired/, remedy: /new temporary credentials/ },
    log: blocked('ExpiredToken', /new temporary credentials, AWS_SESSION_TOKEN included/),
  },
  {
    name: 'a temporary key without its token',
    make: async () => ({
      ...temporary,
      AWS_SESSION_TOKEN: undefined,
      ...(await scripted(() => errorAnswer(403, 'InvalidAccessKeyId'))),
    }),
    doctor: {
      code: 'credentials.tokenMissing',
      cause: /temporary one \(ASIA…\)/,
      remedy: /set AWS_SESSION_TOKEN/,
    },
    log: { event: 'config.warning', remedy: /temporary access key without AWS_SESSION_TOKEN/ },
  },
  {
    name: 'a clock that is an hour behind',
    make: async () => ({}),
    clockMs: -3_600_000,
    doctor: { code: 'clock.offset', cause: /60 minutes behind/, remedy: /NTP/ },
    log: { event: 'clock.skewed', remedy: /NTP/ },
  },
  {
    name: 'a server that takes no time of ours',
    make: () => scripted(() => errorAnswer(403, 'RequestTimeTooSkewed')),
    doctor: { code: 'clock.refused', cause: /time of this host/, remedy: /set the clock of this host/ },
    log: blocked('RequestTimeTooSkewed', /set the clock of this host, best by NTP/),
  },
];
