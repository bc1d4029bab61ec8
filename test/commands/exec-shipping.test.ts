import { closeSync, copyFileSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Edge, OwnProcess } from '../../src/commands/edge.ts';
import { Shipping } from '../../src/commands/exec-shipping.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const never = () => () => {};

test('a program that is being written over while a command runs under it is said, and ends nothing', async () => {
  const base = await temporaryDirectory();
  const program = join(base, 'trainlogd');
  copyFileSync('/bin/true', program);
  const said: string[] = [];
  const edge: Edge = {
    ...{ env: {}, cwd: base, pid: process.pid, isRoot: false, homeDirectory: base, stderrIsTerminal: false },
    ...{ stdout: () => {}, stderr: () => {}, onEndSignal: never, onReload: never },
  };
  const own: OwnProcess = {
    ...{
      pid: process.pid,
      self: [program],
      onSignal: never,
      dieBy: () => {},
      leave: () => {},
      onInput: never,
    },
  };
  // To start what somebody writes to is refused (ETXTBSY), by an error that Node throws rather than emits.
  const writer = openSync(program, 'r+');
  const shipping = new Shipping({
    ...{ edge, own, flags: {}, folder: base, root: 'run', stateDirectory: join(base, 'state') },
    ...{ isQuiet: true, hurriedMs: 1_000, say: (text: string) => void said.push(text) },
  });
  await shipping.finish(false);
  closeSync(writer);
  expect(said).toEqual([
    `shipping could not begin, ETXTBSY: "trainlogd drain ${base}" ships what is not there yet`,
  ]);
});
