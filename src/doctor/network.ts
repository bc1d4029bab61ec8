import type { Code } from './codes.ts';
import type { EndpointLook } from './endpoint-look.ts';
import { type Diagnosis, found, isDirectory, type NotLooked } from './finding.ts';
import { proxyNote } from './proxy.ts';
import { lookAtTls } from './tls-look.ts';
import type { Visit } from './visit.ts';

/** Whether the endpoint can be reached at all: name, connection, certificate, and what a proxy has to do with it. */
export async function checkNetwork(visit: Visit): Promise<readonly Diagnosis[] | NotLooked> {
  const { destination, machine } = visit;
  if (destination === undefined) return { because: 'no destination is configured' };
  if (destination.kind === 'directory') return isDirectory;
  const look = await visit.endpoint();
  if (look === undefined) return { because: 'no address can be made of the endpoint' };
  const proxy = proxyNote(machine.env, look);
  const unchecked = machine.env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0' ? [tlsUnchecked()] : [];
  if (look.failed !== undefined)
    return [explain(visit, look, look.failed), ...unchecked, ...(proxy === undefined ? [] : [proxy.failed])];
  const asked = await visit.bucket();
  const trouble = asked?.troubles.network;
  const more = [...unchecked, ...(proxy === undefined ? [] : [trouble ? proxy.failed : proxy.unused])];
  if (trouble !== undefined) return [(await speaksTls(visit, look)) ?? trouble, ...more];
  const to = look.addresses.slice(0, 3).join(', ');
  const certificate = look.tls?.certificate;
  const sure = certificate === undefined ? '' : `; its certificate holds until ${certificate.validTo}`;
  return [found('ok', 'network.ok', `${look.origin} is reached at ${to}${sure}`), ...more];
}

/** http was asked and no answer could be read: of a port that speaks TLS. */
async function speaksTls({ clock, limits }: Visit, look: EndpointLook): Promise<Diagnosis | undefined> {
  if (look.secure || !(await lookAtTls(look, clock, limits.connectMs)).spoken) return undefined;
  return found('critical', 'network.httpToHttps', `${look.origin} speaks https, and http was asked`, {
    evidence: `a TLS handshake with ${look.hostname}:${look.port} succeeds`,
    remedy: 'write https:// in AWS_ENDPOINT_URL_S3 (destination.endpoint)',
  });
}

function tlsUnchecked(): Diagnosis {
  const said = 'NODE_TLS_REJECT_UNAUTHORIZED=0 is set: anybody on the way can read and change what is sent';
  const remedy = 'unset it, and name the CA of a private server in NODE_EXTRA_CA_CERTS';
  return found('warning', 'network.tlsUnchecked', said, { remedy });
}

const network = 'check network, firewall and security groups between this host and it';

interface Row {
  readonly codes: RegExp;
  readonly at: NonNullable<EndpointLook['failed']>['at'];
  readonly code: Code;
  readonly said: (look: EndpointLook) => string;
  readonly remedy: (visit: Visit, look: EndpointLook) => string;
}

const privateCa = ({ machine: { env } }: Visit): string => {
  const own = env['NODE_EXTRA_CA_CERTS'];
  const bundle = env['AWS_CA_BUNDLE'];
  if (own)
    return `let the file that NODE_EXTRA_CA_CERTS names (${JSON.stringify(own)}) hold its CA, and this user read it`;
  const hint = bundle ? `=${bundle}: AWS_CA_BUNDLE is not read` : '=/path/to/ca.pem';
  return `if it is a private server, name its CA: NODE_EXTRA_CA_CERTS${hint}, in the environment of trainlogd, not in .env; else something on the way (a proxy that opens TLS) shows a certificate of its own`;
};

const rows: readonly Row[] = [
  {
    at: 'name',
    codes: /./,
    code: 'network.name',
    said: ({ hostname }) => `the name ${JSON.stringify(hostname)} is not found`,
    remedy: (_, { hostname }) =>
      `check the endpoint's name and region for a slip, and the DNS of this host: getent hosts ${hostname}`,
  },
  {
    at: 'connection',
    codes: /^ECONNREFUSED$/,
    code: 'network.refused',
    said: ({ origin }) => `nothing listens at ${origin}`,
    remedy: () => `check that the endpoint and its port are right and that the server is up; ${network}`,
  },
  {
    at: 'connection',
    codes: /^ETIMEDOUT$/,
    code: 'network.timeout',
    said: ({ origin }) => `${origin} does not answer: packets to it are lost`,
    remedy: () => `${network}: something drops packets without a word; within AWS, a VPC endpoint for S3`,
  },
  {
    at: 'connection',
    codes: /./,
    code: 'network.unreachable',
    said: ({ origin }) => `${origin} cannot be reached`,
    remedy: () => `${network}, and its routes: ip route`,
  },
  {
    at: 'tls',
    codes: /EXPIRED|NOT_YET_VALID/,
    code: 'network.certificateExpired',
    said: ({ origin, tls }) =>
      `the certificate of ${origin} does not hold now: until ${tls?.certificate?.validTo}`,
    remedy: () => 'have the certificate renewed, and check the clock of this host (date -u)',
  },
  {
    at: 'tls',
    codes: /ALTNAME|HOSTNAME/,
    code: 'network.certificateName',
    said: ({ origin, tls }) => `the certificate of ${origin} is of others: ${tls?.certificate?.names}`,
    remedy: (_, { hostname }) =>
      `name the endpoint as its certificate does, or have ${hostname} put into it; a bucket with dots in its name needs destination.pathStyle: true`,
  },
  {
    at: 'tls',
    codes: /SELF_SIGNED|UNABLE_TO|INVALID_CA|CERT_/,
    code: 'network.unknownCa',
    said: ({ origin, tls }) =>
      `the CA of ${origin} is not known here: ${JSON.stringify(tls?.certificate?.issuer ?? 'nobody')}`,
    remedy: privateCa,
  },
  {
    at: 'tls',
    codes: /WRONG_VERSION|EPROTO|PACKET_LENGTH|HTTP_REQUEST/,
    code: 'network.httpsToHttp',
    said: ({ origin }) => `${origin} does not speak TLS, and https was asked`,
    remedy: () =>
      'write http:// in AWS_ENDPOINT_URL_S3 (destination.endpoint) if the server is meant to speak http, else name its https port',
  },
  {
    at: 'tls',
    codes: /TLS_TIMEOUT/,
    code: 'network.silent',
    said: ({ origin }) => `${origin} takes connections and says nothing`,
    remedy: () => `check that the server is well and speaks https on this port; ${network}`,
  },
  {
    at: 'tls',
    codes: /./,
    code: 'network.tls',
    said: ({ origin }) => `no TLS connection with ${origin} comes about`,
    remedy: () => `check which TLS versions and ciphers the server takes; ${network}`,
  },
];

function explain(visit: Visit, look: EndpointLook, failed: NonNullable<EndpointLook['failed']>): Diagnosis {
  const row = rows.find(({ at, codes }) => at === failed.at && codes.test(failed.code));
  if (row === undefined) throw new Error(`no row for ${failed.at} ${failed.code}`);
  const where = look.addresses.length === 0 ? '' : ` (${look.addresses.slice(0, 3).join(', ')})`;
  return found('critical', row.code, row.said(look), {
    evidence: `${failed.code}${where}${failed.said === failed.code ? '' : `, ${failed.said}`}`,
    remedy: row.remedy(visit, look),
  });
}
