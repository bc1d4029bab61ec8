import { type Diagnosis, found } from './finding.ts';

const names = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'] as const;

export interface ProxyNote {
  /** Where the endpoint is reached all the same. */
  readonly unused: Diagnosis;
  /** Where it is not. */
  readonly failed: Diagnosis;
}

/**
 * The connections to the bucket are made without a proxy, whatever these variables say: neither the SDK's handler nor
 * our own sender looks at them, NODE_USE_ENV_PROXY included. Undefined where none speaks of this endpoint.
 */
export function proxyNote(
  env: Readonly<Record<string, string | undefined>>,
  { hostname, secure }: { hostname: string; secure: boolean },
): ProxyNote | undefined {
  const set = names.filter((name) => env[name] && (secure || !/^https_/i.test(name)));
  const name = set[0];
  if (name === undefined || isExcepted(hostname, env['NO_PROXY'] ?? env['no_proxy'] ?? '')) return undefined;
  const unused = `${name} is set and not used: trainlogd connects straight to ${hostname}`;
  const remedy = `let this host reach ${hostname} itself (route, firewall rule, or a VPC endpoint for S3), or name an endpoint that it reaches`;
  return {
    unused: found('ok', 'network.proxy', `${unused}, and that works`),
    failed: found('warning', 'network.proxy', unused, {
      evidence: 'hosts with such a variable often reach nothing without their proxy',
      remedy,
    }),
  };
}

/** As curl reads it: names and what ends in them, `*` for all. */
function isExcepted(hostname: string, exceptions: string): boolean {
  return exceptions
    .split(/[\s,]+/)
    .map((exception) =>
      exception
        .toLowerCase()
        .replace(/^\*?\./, '')
        .replace(/:\d+$/, ''),
    )
    .some((name) => name === '*' || (name !== '' && (hostname === name || hostname.endsWith(`.${name}`))));
}
