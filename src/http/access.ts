import { isIP } from 'node:net';
import { type Answer, plain } from './answer.ts';

export interface Caller {
  readonly localAddress: string | undefined;
  readonly remoteAddress: string | undefined;
  /** The Host header. */
  readonly host: string | undefined;
}

export interface AccessRules {
  readonly pages: 'loopback' | 'all';
  /** The machine's own name. */
  readonly hostName: string;
}

/**
 * Who may see pages and the API; undefined: this one. Whether it is somebody of this machine is told by the addresses of
 * the connection: headers say what a caller likes.
 *
 * The name that a browser asked for must be ours. Otherwise any site could have its own name resolve to this machine
 * and read the page through its visitor's browser (DNS rebinding). An address is no name, and cannot be made to. With
 * `all`, nor can the names that a cluster gives its Services: no site of the internet has one.
 */
export function refusalFor(caller: Caller, rules: AccessRules): Answer | undefined {
  if (rules.pages === 'loopback' && !isLocal(caller)) {
    return plain(
      403,
      'The status page is served to this host alone; /healthz, /readyz and /metrics are open to all.\n' +
        'To open the page: set http.pages to "all" (TRAINLOGD_HTTP_PAGES=all), or forward the port, for one with\n' +
        '  ssh -L 9464:127.0.0.1:9464 HOST',
    );
  }
  const name = hostOf(caller.host);
  if (name === undefined || !(isOurs(name, rules.hostName) || (rules.pages === 'all' && isOfService(name)))) {
    return plain(
      421,
      'This address was asked for under a name that is not its own. Use http://localhost, the IP address or the name of the host;\n' +
        'with http.pages: all also the name of a Kubernetes Service, NAME or NAME.NAMESPACE.svc. A proxy is to set Host to one of these.',
    );
  }
  return undefined;
}

function isLocal({ localAddress, remoteAddress }: Caller): boolean {
  return isLoopback(localAddress) && isLoopback(remoteAddress);
}

export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  const plainAddress = address.replace(/^::ffff:/i, '');
  return isIP(plainAddress) === 4 ? plainAddress.startsWith('127.') : plainAddress === '::1';
}

/** The name without its port, brackets and final dot, in lower case; undefined when it is none. */
function hostOf(header: string | undefined): string | undefined {
  const [, bracketed, name] =
    /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]{1,253}))(?::\d{1,5})?$/i.exec(header ?? '') ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? bracketed : undefined;
  return name?.toLowerCase().replace(/\.$/, '');
}

/** As a Service is named within its namespace, and by the cluster: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/ */
function isOfService(name: string): boolean {
  return /^[a-z0-9-]+(\.[a-z0-9-]+\.svc(\.cluster\.local)?)?$/.test(name);
}

function isOurs(name: string, hostName: string): boolean {
  if (isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost')) return true;
  const own = hostName.toLowerCase().replace(/\.$/, '');
  return own !== '' && (name === own || name === own.split('.')[0]);
}
