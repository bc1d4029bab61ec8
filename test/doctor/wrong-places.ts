import { blackHole } from '../support/black-hole.ts';
import { freePort } from '../support/free-port.ts';
import { makeBucket } from '../support/s3-bucket.ts';
import { errorAnswer, listAnswer } from '../support/scripted-s3.ts';
import { tlsServer } from '../support/tls-server.ts';
import { blocked, scripted, type WrongWay } from './wrong-way.ts';

const html = '<!doctype html><html><body>Sign in to the guest network</body></html>';

/** Whom we ask, and for which bucket. */
export const wrongPlaces: readonly WrongWay[] = [
  {
    name: 'a bucket that is not there',
    make: async () => ({ S3_BUCKET_NAME: 'no-such-bucket-anywhere' }),
    doctor: {
      code: 'bucket.missing',
      cause: /no bucket "no-such-bucket-anywhere"/,
      remedy: /S3_BUCKET_NAME.*case/,
    },
    log: blocked('NoSuchBucket', /bucket's name, its case included/),
  },
  {
    name: 'a bucket in the wrong case',
    make: async () => ({ S3_BUCKET_NAME: (await makeBucket()).bucket.toUpperCase() }),
    doctor: {
      code: 'bucket.case',
      cause: /no bucket "TEST-.*one called "test-/,
      remedy: /S3_BUCKET_NAME=test-/,
    },
    log: blocked('NoSuchBucket', /its case included/),
  },
  {
    name: 'a region that the bucket is not in, told by a refusal',
    make: () =>
      scripted(() => errorAnswer(400, 'AuthorizationHeaderMalformed', '<Region>eu-central-1</Region>')),
    doctor: { code: 'bucket.region', cause: /but in eu-central-1/, remedy: /AWS_REGION=eu-central-1/ },
    log: blocked('AuthorizationHeaderMalformed', /set AWS_REGION/),
  },
  {
    name: 'a region that the bucket is not in, told by a redirect',
    make: () =>
      scripted(() => errorAnswer(301, 'PermanentRedirect', '', { 'x-amz-bucket-region': 'ap-south-1' })),
    doctor: { code: 'bucket.region', cause: /but in ap-south-1/, remedy: /AWS_REGION=ap-south-1/ },
    log: blocked('PermanentRedirect', /set AWS_REGION=ap-south-1/),
  },
  ...[200, 403, 404].map(
    (status): WrongWay => ({
      name: `a page of a web server, ${status}`,
      make: () =>
        scripted(() => ({ status, headers: { 'content-type': 'text/html', server: 'portal' }, body: html })),
      doctor: { code: 'bucket.notS3', cause: /no S3 server[\s\S]*"portal"/, remedy: /AWS_ENDPOINT_URL_S3/ },
      log: blocked('UnreadableAnswer', /check the endpoint: what answers there is no S3 server/),
    }),
  ),
  {
    name: 'nobody listens',
    make: async () => ({ AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${await freePort()}` }),
    doctor: {
      code: 'network.refused',
      cause: /nothing listens at/,
      remedy: /endpoint and its port are right/,
    },
    log: blocked('ECONNREFUSED', /check that the endpoint is right and up/),
  },
  {
    name: 'packets are lost',
    make: async () => ({ AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${await blackHole()}` }),
    waitMs: 1_000,
    doctor: { code: 'network.timeout', cause: /packets to it are lost/, remedy: /firewall/ },
  },
  {
    name: 'a server that never answers',
    make: () => scripted(() => 'hang'),
    waitMs: 1_000,
    doctor: {
      code: 'network.silent',
      cause: /takes connections and does not answer/,
      remedy: /firewall, proxy/,
    },
  },
  {
    name: 'a name that is not known',
    make: async () => ({ AWS_ENDPOINT_URL_S3: 'http://no-such-host.invalid' }),
    doctor: { code: 'network.name', cause: /"no-such-host.invalid" is not found/, remedy: /getent hosts/ },
    log: blocked('ENOTFOUND', /check the endpoint's name/),
  },
  {
    name: 'a certificate of a CA that is not known',
    make: async () => ({ AWS_ENDPOINT_URL_S3: `https://127.0.0.1:${await tlsServer()}` }),
    doctor: {
      code: 'network.unknownCa',
      cause: /CA of .* is not known here: "private.example"/,
      remedy: /NODE_EXTRA_CA_CERTS=/,
    },
    log: blocked('DEPTH_ZERO_SELF_SIGNED_CERT', /NODE_EXTRA_CA_CERTS/),
  },
  {
    name: 'https asked of an http port',
    make: async () => ({
      AWS_ENDPOINT_URL_S3: (await scripted(() => listAnswer()))['AWS_ENDPOINT_URL_S3']?.replace(
        'http',
        'https',
      ),
    }),
    doctor: {
      code: 'network.httpsToHttp',
      cause: /does not speak TLS, and https was asked/,
      remedy: /write http:\/\//,
    },
    log: { remedy: /http:\/\/ or https:\/\/ must fit/ },
  },
  {
    name: 'http asked of an https port',
    make: async () => ({ AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${await tlsServer()}` }),
    doctor: {
      code: 'network.httpToHttps',
      cause: /speaks https, and http was asked/,
      remedy: /write https:\/\//,
    },
    log: { event: 'upload.retry', remedy: /http:\/\/ or https:\/\/ as its port speaks/ },
  },
];
