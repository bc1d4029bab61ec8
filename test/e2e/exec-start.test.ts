import { chmod, copyFile, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runExec, startProgram } from '../support/exec.ts';
import { trainlogdProgram } from '../support/program.ts';
import { makeHost, toDirectory } from '../support/trainlogd.ts';

describe.concurrent('exec', () => {
  test('says of each command that cannot be started why, with the code of shells', async (context) => {
    const host = await makeHost(context, toDirectory('/nowhere'));
    const at = (name: string) => join(host.base, name);
    await copyFile('/bin/true', at('busy'));
    const writer = await open(at('busy'), 'r+');
    context.onTestFinished(() => writer.close());
    await writeFile(at('orphan'), '#!/nonexistent/interpreter\n');
    await writeFile(at('closed'), 'echo never\n');
    await chmod(at('orphan'), 0o755);
    await chmod(at('closed'), 0o644);
    const cases: [command: string[], code: number, said: string][] = [
      [[at('busy')], 126, 'a program has it open for writing (ETXTBSY)'],
      [[at('closed')], 126, 'this user may not execute it (EACCES)'],
      [
        [at('orphan')],
        127,
        'the interpreter (behind #!), loader or working directory that it needs is not there',
      ],
      [[at('absent')], 127, 'it is not there (ENOENT)'],
    ];
    for (const [command, code, said] of cases) {
      const ended = await runExec(context, host, ['--no-ship', '--', ...command]);
      expect(ended.stderr).toContain(`starting ${JSON.stringify(command[0])}: ${said}`);
      expect(ended.code).toBe(code);
    }
  });

  test('leaves it to the command to speak to systemd, and tells it nothing that is not for it', async (context) => {
    const host = await makeHost(context, toDirectory('/nowhere'));
    const [program, ...args] = trainlogdProgram;
    // Systemd names the process that it starts: the shell becomes that one.
    const unit = 'WATCHDOG_PID=$$ LISTEN_PID=$$ exec "$@"';
    const command = [program, ...args, 'exec', '--no-ship', '--', 'env'];
    const variables = { NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '30000000', LISTEN_FDS: '1' };
    const running = startProgram(context, host, ['sh', '-c', unit, 'sh', ...command], variables);
    const names = (await running.ended).stdout.toString().match(/^(NOTIFY|WATCHDOG|LISTEN)_\w+=.*$/gm);
    expect(names?.toSorted()).toEqual(['NOTIFY_SOCKET=/run/notify', 'WATCHDOG_USEC=30000000']);
  });
});
