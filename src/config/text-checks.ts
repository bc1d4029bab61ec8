import { isIP } from 'node:net';
import { validate } from 'node-cron';

/** Checks of text values: undefined for good text, else what is wrong with it. No message repeats a value. */

const placeholders = ['year', 'month', 'session-id'];
const keyTemplateBytesMax = 512;

/** The key of a session log: `training-logs/{year}/{month}/{session-id}.log`. */
export function checkKeyTemplate(template: string): string | undefined {
  const used = [...template.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name);
  const unknown = used.filter((name) => !placeholders.includes(name));
  const literal = template.replace(/\{[^{}]*\}/g, 'x');
  if (unknown.length > 0) return `unknown placeholder ${unknown.map((name) => `{${name}}`).join(', ')}`;
  if (/[{}]/.test(literal)) return 'a brace without its partner';
  if (!used.includes('session-id')) return '{session-id} is missing: sessions would overwrite one another';
  if (template.startsWith('/')) return 'a leading slash makes a key that many tools cannot open';
  if (literal.split('/').some((part) => part === '' || part === '.' || part === '..'))
    return 'empty parts, "." and ".." are not allowed';
  if (hasControlCharacter(template)) return 'a control character';
  if (Buffer.byteLength(template) >= keyTemplateBytesMax) return `${keyTemplateBytesMax} bytes or more`;
  return undefined;
}

/** A glob relative to a folder, as picomatch reads it. */
export function checkGlob(glob: string): string | undefined {
  if (glob === '') return 'an empty glob';
  if (glob.startsWith('/')) return 'a glob is relative: no leading slash';
  if (glob.split('/').includes('..')) return 'a glob never leaves its folder: no ".."';
  if (/^!(?!\()/.test(glob)) return 'a glob that begins with "!" would match everything else';
  if (glob.length > 1_000 || hasControlCharacter(glob)) return 'too long, or a control character';
  return undefined;
}

/** Five fields: minute, hour, day of month, month, day of week. */
export function checkSchedule(expression: string): string | undefined {
  if (expression.length > 200 || expression.split(/\s+/).length !== 5) return 'not five fields';
  return validate(expression) ? undefined : 'not a cron expression';
}

/** Where to listen: `off`, or an address with a port; port 0 leaves the choice to the system. */
export function checkListen(listen: string): string | undefined {
  if (listen === 'off') return undefined;
  const [, bracketed, plain = '', port = ''] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(listen) ?? [];
  if (port === '') return 'not ADDRESS:PORT';
  if (Number(port) > 65_535) return 'no such port: at most 65535';
  if (bracketed !== undefined ? isIP(bracketed) !== 6 : plain !== 'localhost' && isIP(plain) !== 4)
    return 'not an IP address of this host; IPv6 stands in brackets';
  return undefined;
}

/** An S3 endpoint: an http or https URL without user, query and fragment. */
export function checkEndpoint(endpoint: string): string | undefined {
  if (!URL.canParse(endpoint)) return 'not a URL';
  const url = new URL(endpoint);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'neither http:// nor https://';
  // Anywhere: a password with a slash in it ends up in the path.
  if (endpoint.includes('@')) return 'a URL with a user or password in it';
  if (url.search !== '' || url.hash !== '') return 'a URL with a query or fragment';
  return undefined;
}

export function checkPath(path: string): string | undefined {
  if (path === '') return 'an empty path';
  return path.includes('\0') ? 'a NUL character' : undefined;
}

export function checkName(name: string): string | undefined {
  if (name === '' || name.length > 256) return 'empty or over 256 characters';
  return hasControlCharacter(name) ? 'a control character' : undefined;
}

function hasControlCharacter(text: string): boolean {
  return /\p{Cc}/u.test(text);
}
