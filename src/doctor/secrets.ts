/** Replaces what must not be shown. */
export type Hide = (text: string) => string;

const secretName = /SECRET|TOKEN|PASSW|CREDENTIAL|PRIVATE|API_?KEY/i;
/** A path, a URL or a short word under such a name is none, and may stand in many messages. */
const lengthMin = 8;

/**
 * Hides the values of variables that are named like secrets, the user and password of URLs, and the texts given. Longer
 * ones first: one may be the beginning of another.
 */
export function hider(
  env: Readonly<Record<string, string | undefined>>,
  more: readonly (string | undefined)[],
): Hide {
  const named = Object.entries(env).flatMap(([name, value]) =>
    secretName.test(name) && value ? [value] : [],
  );
  const secrets = [...new Set([...named, ...more])]
    .map((text) => text?.replace(/^[\s"'`]+|[\s"'`]+$/g, '') ?? '')
    .filter((text) => text.length >= lengthMin && !text.startsWith('/') && !/^[a-z]+:\/\//.test(text))
    .toSorted((one, other) => other.length - one.length);
  return (text) =>
    secrets
      .reduce((shown, secret) => shown.replaceAll(secret, '[redacted]'), text)
      .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, '$1[redacted]@');
}
