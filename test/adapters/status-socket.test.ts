import { existsSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { askAgent } from '../../src/adapters/ask-agent.ts';
import { StatusSocket } from '../../src/adapters/status-socket.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test.each([
  ['short', 'state'],
  ['longer than the path of a socket may be', `state/${'x'.repeat(150)}`],
])(
  'the socket of a state directory whose path is %s answers, to its user alone, and goes with it',
  async (_, name) => {
    const directory = join(await temporaryDirectory(), name);
    const problems: string[] = [];
    const ask = () => askAgent<'recordedMonths'>(directory, { ask: 'recordedMonths' });
    expect(await ask(), 'where there is no directory yet').toBeUndefined();
    await mkdir(directory, { recursive: true });
    expect(await ask(), 'where nobody listens').toBeUndefined();
    const recordedMonths = () => ({ version: 1 as const, months: ['2026-01'] });
    const onProblem = (problem: string) => void problems.push(problem);
    const socket = new StatusSocket({ stateDirectory: directory, answering: { recordedMonths }, onProblem });
    const running = socket.run();
    onTestFinished(() => socket.stop());
    expect(await eventually(ask)).toEqual({ version: 1, months: ['2026-01'] });
    expect((await stat(join(directory, 'status.sock'))).mode & 0o777).toBe(0o600);
    await socket.stop();
    await running;
    await eventually(() => !existsSync(join(directory, 'status.sock')));
    expect(problems).toEqual([]);
  },
);
