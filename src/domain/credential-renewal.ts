/**
 * Whether new credentials come from where these do without a person: roles, identities and processes. Told by what the
 * source is called (`environment`, `.env file …`, `profile "default" in …`); a profile with its kind in brackets gets
 * them elsewhere.
 */
export function renewThemselves(source: string): boolean {
  if (/^(environment$|\.env file )/.test(source)) return false;
  return !source.startsWith('profile ') || source.endsWith(')');
}
