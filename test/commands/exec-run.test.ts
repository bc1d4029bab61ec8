import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { runCommand } from '../../src/commands/exec-run.ts';
import { SignalRelay } from '../../src/commands/exec-signals.ts';

test('a command with more arguments than the system takes cannot be run, and is no mistake of ours', async () => {
  const own = {
    pid: process.pid,
    self: ['nobody'] as const,
    onSignal: () => () => undefined,
    dieBy: () => undefined,
    leave: () => undefined,
    onInput: () => () => undefined,
  };
  const relay = new SignalRelay({ own, witness: { saw: async () => undefined }, ignoresHangup: false });
  const { end, wasAsked } = await runCommand({
    command: ['true', 'x'.repeat(200_000)],
    env: { PATH: process.env['PATH'] },
    cwd: tmpdir(),
    ignoresHangup: false,
    logs: undefined,
    relay,
    onStarted: () => Promise.reject(new Error('nothing was started')),
    say: () => undefined,
  });
  const cause = 'starting "true": arguments and environment are more than the system takes (E2BIG)';
  expect({ end, wasAsked }).toEqual({ end: { code: 126, cause }, wasAsked: false });
});
