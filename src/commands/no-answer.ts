import { checkMount } from '../adapters/check-mount.ts';
import { exitCode } from './edge.ts';

export type Place = 'file' | 'folder' | 'state' | 'destination';
/** Which place, and its path. */
export type Silent = readonly [Place, string];

const names: Readonly<Record<Place, string>> = {
  file: 'the configuration file',
  folder: 'the folder',
  state: 'the state directory',
  destination: 'the destination directory',
};

/** A place that a command cannot do without does not answer. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly exitCode: number;

  constructor(silent: readonly Silent[]) {
    super(`${silent.map(saidOf).join(', ')}: ${checkMount}`);
    const isDestination = silent.every(([place]) => place === 'destination');
    this.exitCode = isDestination ? exitCode.unreachable : exitCode.configuration;
  }
}

export function nameOf([place, path]: Silent): string {
  return `${names[place]} ${JSON.stringify(path)}`;
}

export function saidOf(silent: Silent): string {
  return `${nameOf(silent)} does not answer`;
}
