import { expect, test } from 'vitest';
import type { EndpointLook } from '../../src/doctor/endpoint-look.ts';
import { checkNetwork } from '../../src/doctor/network.ts';
import { proxyNote } from '../../src/doctor/proxy.ts';
import { isList, listAnswer, scriptedS3 } from '../support/scripted-s3.ts';
import { makeHost, run } from '../support/trainlogd.ts';
import { visitOf } from './visit.ts';

const s3 = {
  TRAINLOGD_DESTINATION_URL: 's3://bucket',
  AWS_ENDPOINT_URL_S3: 'https://s3.example',
  AWS_REGION: 'us-east-1',
};
const certificate = { subject: 'a', issuer: 'Private CA', names: 'DNS:other.example', validTo: 'Jan 1 2020' };

function failing(at: 'name' | 'connection' | 'tls', code: string): EndpointLook {
  return {
    origin: 'https://s3.example:443',
    hostname: 's3.example',
    port: 443,
    secure: true,
    addresses: ['192.0.2.1'],
    failed: { at, code, said: 'said so' },
    tls: { spoken: true, certificate },
  };
}

async function findingsFor(look: EndpointLook, env: Record<string, string> = {}) {
  const { visit } = await visitOf({
    env: { ...s3, ...env },
    more: () => ({ endpoint: async () => look, bucket: async () => undefined }),
  });
  const result = await checkNetwork(visit);
  return 'because' in result ? [] : result;
}

test.each([
  ['name', 'ENOTFOUND', 'network.name', /getent hosts s3\.example/],
  ['connection', 'ECONNREFUSED', 'network.refused', /port are right/],
  ['connection', 'ETIMEDOUT', 'network.timeout', /drops packets/],
  ['connection', 'EHOSTUNREACH', 'network.unreachable', /ip route/],
  ['tls', 'CERT_HAS_EXPIRED', 'network.certificateExpired', /clock of this host/],
  ['tls', 'ERR_TLS_CERT_ALTNAME_INVALID', 'network.certificateName', /pathStyle/],
  ['tls', 'SELF_SIGNED_CERT_IN_CHAIN', 'network.unknownCa', /NODE_EXTRA_CA_CERTS=\/path/],
  ['tls', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'network.unknownCa', /NODE_EXTRA_CA_CERTS/],
  ['tls', 'ERR_SSL_WRONG_VERSION_NUMBER', 'network.httpsToHttp', /write http:\/\//],
  ['tls', 'TLS_TIMEOUT', 'network.silent', /speaks https on this port/],
  ['tls', 'ECONNRESET', 'network.tls', /TLS versions/],
] as const)('%s fails with %s: %s', async (at, code, expected, remedy) => {
  expect(await findingsFor(failing(at, code))).toMatchObject([
    {
      code: expected,
      level: 'critical',
      evidence: `${code} (192.0.2.1), said so`,
      remedy: expect.stringMatching(remedy),
    },
  ]);
});

test('AWS_CA_BUNDLE is said not to be read, and a file that is named already to be looked at', async () => {
  const look = failing('tls', 'SELF_SIGNED_CERT_IN_CHAIN');
  const remedyFor = async (env: Record<string, string>) => (await findingsFor(look, env))[0]?.remedy;
  expect(await remedyFor({ AWS_CA_BUNDLE: '/etc/ca.pem' })).toMatch(
    /NODE_EXTRA_CA_CERTS=\/etc\/ca\.pem: AWS_CA_BUNDLE is not read/,
  );
  expect(await remedyFor({ NODE_EXTRA_CA_CERTS: '/etc/own.pem' })).toMatch(
    /let the file .*"\/etc\/own\.pem".* hold its CA/,
  );
});

test('certificates that nobody checks are a warning', async () => {
  const look = { ...failing('name', 'ENOTFOUND') };
  const findings = await findingsFor(look, { NODE_TLS_REJECT_UNAUTHORIZED: '0' });
  expect(findings.map(({ code, level }) => [code, level])).toEqual([
    ['network.name', 'critical'],
    ['network.tlsUnchecked', 'warning'],
  ]);
});

test.each<[Record<string, string>, boolean, boolean]>([
  [{}, true, false],
  [{ HTTPS_PROXY: 'http://proxy:3128' }, true, true],
  [{ https_proxy: 'http://proxy:3128' }, false, false],
  [{ HTTP_PROXY: 'http://proxy:3128' }, false, true],
  [{ ALL_PROXY: 'socks5://proxy' }, true, true],
  [{ HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'localhost, .example' }, true, false],
  [{ HTTPS_PROXY: 'http://proxy:3128', no_proxy: 's3.example:443' }, true, false],
  [{ HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '*' }, true, false],
  [{ HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'ample' }, true, true],
])('%j with https %s is spoken of: %s', (env, secure, isSpokenOf) => {
  const note = proxyNote(env, { hostname: 's3.example', secure });
  expect(note !== undefined).toBe(isSpokenOf);
  if (note) expect(JSON.stringify(note)).not.toContain('3128');
});

test('no proxy is asked, whatever variables say: neither by the SDK nor by our own requests', async (context) => {
  const proxy = await scriptedS3(() => ({ status: 502 }));
  const server = await scriptedS3((request) =>
    isList(request) ? listAnswer('training-logs/one') : { status: 200, headers: { etag: '"1"' } },
  );
  const host = await makeHost(context, {
    S3_BUCKET_NAME: 'bucket',
    AWS_ENDPOINT_URL_S3: server.endpoint,
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    HTTP_PROXY: proxy.endpoint,
    // Makes Node's own requests go through it, and only those.
    NODE_USE_ENV_PROXY: '1',
  });
  const { code, stdout, stderr } = await run(context, host, ['doctor', '--write']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.replace(/\s+/g, ' ')).toMatch(/HTTP_PROXY is set and not used: .*, and that works/);
  expect(server.requests.map(({ method }) => method)).toEqual(expect.arrayContaining(['GET', 'PUT']));
  expect(proxy.requests).toEqual([]);
});
