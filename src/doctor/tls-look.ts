import { checkServerIdentity, connect, type PeerCertificate } from 'node:tls';
import type { Clock } from '../ports/clock.ts';
import { within } from './within.ts';

/** What a server shows of itself when it is asked for TLS. */
export interface TlsLook {
  /** TLS is spoken there, whatever the certificate is worth. */
  readonly spoken: boolean;
  readonly failure?: { readonly code: string; readonly said: string };
  readonly certificate?: {
    readonly subject: string;
    readonly issuer: string;
    readonly names: string;
    readonly validTo: string;
  };
}

/** The certificate is looked at whatever it is: nothing is sent on this connection. */
export function lookAtTls(
  { hostname, port }: { hostname: string; port: number },
  clock: Clock,
  ms: number,
): Promise<TlsLook> {
  const said = `no handshake within ${ms} ms`;
  const late: TlsLook = { spoken: false, failure: { code: 'TLS_TIMEOUT', said } };
  return within(clock, ms, late, (signal) => handshake(hostname.replace(/^\[|\]$/g, ''), port, signal));
}

function handshake(host: string, port: number, signal: AbortSignal): Promise<TlsLook> {
  return new Promise((done) => {
    // An address is no server name (RFC 6066).
    const servername = /^[\d.]+$|:/.test(host) ? '' : host;
    const socket = connect({ host, port, servername, rejectUnauthorized: false });
    const end = (look: TlsLook) => {
      done(look);
      socket.destroy();
    };
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerCertificate();
      const code = socket.authorizationError as unknown;
      const untrusted = typeof code === 'string' ? code : code instanceof Error ? errorCode(code) : undefined;
      end({ spoken: true, ...judge(host, certificate, untrusted), certificate: shown(certificate) });
    });
    socket.on('error', (error) =>
      end({ spoken: false, failure: { code: errorCode(error), said: saidBy(error) } }),
    );
    signal.addEventListener('abort', () => socket.destroy(), { once: true });
  });
}

/** Of OpenSSL's own text, with its file and line, the words. */
function saidBy(error: Error): string {
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
}

function errorCode(error: Error): string {
  return 'code' in error ? String(error.code) : error.message;
}

function judge(host: string, certificate: PeerCertificate, untrusted: string | undefined) {
  if (untrusted !== undefined) return { failure: { code: untrusted, said: untrusted } };
  const misnamed = checkServerIdentity(host, certificate);
  return misnamed === undefined
    ? {}
    : { failure: { code: 'ERR_TLS_CERT_ALTNAME_INVALID', said: misnamed.message } };
}

const shownMax = 200;

function shown({ subject, issuer, subjectaltname, valid_to }: PeerCertificate) {
  return {
    subject: nameOf(subject),
    issuer: nameOf(issuer),
    names: (subjectaltname ?? nameOf(subject)).slice(0, shownMax),
    validTo: valid_to,
  };
}

function nameOf(name: PeerCertificate['subject'] | undefined): string {
  const named = name?.CN ?? name?.O ?? 'nobody';
  return String(named).slice(0, shownMax);
}
