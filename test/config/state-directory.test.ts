import { symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hashFolder, isWithin } from '../../src/config/paths.ts';
import { load, loadError, makeDirectory } from './support.ts';

const hash = hashFolder('/nowhere/training-output');

describe('state.directory', () => {
  test.each([
    ['$STATE_DIRECTORY', { env: { STATE_DIRECTORY: '/var/lib/a:/var/lib/b' }, isRoot: true }, '/var/lib/a'],
    ['/var/lib/trainlogd as root', { isRoot: true }, '/var/lib/trainlogd'],
    ['$XDG_STATE_HOME', { env: { XDG_STATE_HOME: '/xdg' } }, `/xdg/trainlogd/node-1/${hash}`],
    ['the home', { env: { XDG_STATE_HOME: 'relative' } }, `/home/ada/.local/state/trainlogd/node-1/${hash}`],
    ['a legal host name', { hostname: '../h x' }, `/home/ada/.local/state/trainlogd/..-h-x/${hash}`],
    ['a configured path', { overrides: { 'state.directory': '~/s' }, isRoot: true }, '/home/ada/s'],
  ])('comes from %s', (_, inputs, expected) => {
    expect(load(inputs).config.state.directory).toBe(expected);
  });

  test('differs by folder and host', () => {
    const states = ['/data/a', '/data/b'].flatMap((directory) =>
      ['h1', 'h2'].map(
        (hostname) => load({ hostname, overrides: { 'watch.directory': directory } }).config.state.directory,
      ),
    );
    expect(new Set(states).size).toBe(4);
  });

  test.each(['/data/out', '/data/out/.state', '/data/out/a/../b'])(
    '%s in the watched /data/out is refused',
    (directory) => {
      const overrides = { 'watch.directory': '/data/out', 'state.directory': directory };
      expect(loadError({ overrides }).problems).toMatchObject([
        { key: 'state.directory', at: 'command line' },
      ]);
    },
  );

  test('that is computed into a watched home is refused too', () => {
    expect(loadError({ overrides: { 'watch.directory': '~' } }).problems).toMatchObject([
      { key: 'state.directory' },
    ]);
  });

  test('in a watched folder that is a link is refused', () => {
    const cwd = makeDirectory({ 'real/state/x': '' });
    symlinkSync(`${cwd}/real`, `${cwd}/out`);
    const overrides = { 'watch.directory': 'out', 'state.directory': `${cwd}/real/state` };
    expect(loadError({ cwd, overrides }).problems).toMatchObject([{ key: 'state.directory' }]);
  });

  test('without a home directory must be set', () => {
    expect(loadError({ homeDirectory: undefined }).problems).toMatchObject([
      { key: 'state.directory', problem: expect.stringContaining('needs a home directory') },
    ]);
  });
});

test.each([
  ['/a', '/a', true],
  ['/a', '/a/b', true],
  ['/', '/a', true],
  ['/a', '/ab', false],
  ['/a/b', '/a', false],
  ['/a', '/a/..b', true],
])('isWithin(%s, %s) is %s', (outer, inner, expected) => expect(isWithin(outer, inner)).toBe(expected));
