import description from '../../package.json' with { type: 'json' };

/** From package.json; a bundle carries it. */
export function programVersion(): string {
  return description.version;
}
