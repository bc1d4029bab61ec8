import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  /** The authority's certificate, for clients that want a file and for those that want its text. */
  readonly authorityFile: string;
  readonly authority: string;
  readonly keyFile: string;
  readonly certificateFile: string;
}

/** An authority and a certificate of it for 127.0.0.1, made anew for each run. */
export function makeCertificate(directory: string): Certificate {
  const at = (name: string) => join(directory, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl([
    'req',
    '-x509',
    ...key,
    '-keyout',
    at('authority.key'),
    '-out',
    at('authority.pem'),
    '-days',
    '2',
    '-subj',
    '/CN=bench authority',
  ]);
  openssl(['req', ...key, '-keyout', at('server.key'), '-out', at('server.csr'), '-subj', '/CN=127.0.0.1']);
  writeFileSync(at('server.ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  openssl([
    'x509',
    '-req',
    '-in',
    at('server.csr'),
    '-CA',
    at('authority.pem'),
    '-CAkey',
    at('authority.key'),
    '-CAcreateserial',
    '-out',
    at('server.pem'),
    '-days',
    '2',
    '-extfile',
    at('server.ext'),
  ]);
  return {
    authorityFile: at('authority.pem'),
    authority: readFileSync(at('authority.pem'), 'utf8'),
    keyFile: at('server.key'),
    certificateFile: at('server.pem'),
  };
}

function openssl(args: readonly string[]): void {
  const ran = spawnSync('openssl', args, { encoding: 'utf8' });
  if (ran.status !== 0)
    throw new Error(`running openssl ${args[0]}: ${ran.error?.message ?? ran.stderr.trim()}`);
}
