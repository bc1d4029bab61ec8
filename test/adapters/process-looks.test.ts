import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createProcessTable } from '../../src/adapters/proc-table.ts';
import { createProcessLooks } from '../../src/adapters/process-looks.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const program = join(import.meta.dirname, '..', '..', 'systemd', 'processes');
const visible = createProcessTable();

/** As systemd does for a socket with `Accept=yes`: the program's input and output are the connection. */
function servedByProgram(connection: Socket): void {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  connection.pipe(child.stdin);
  child.stdout.pipe(connection);
}

/** A /proc in which there is nobody but ourselves, as `ProtectProc=invisible` makes it for a service. */
async function hidden(serve?: (connection: Socket) => void) {
  const directory = await temporaryDirectory();
  for (const name of ['stat', 'sys', 'self']) symlinkSync(`/proc/${name}`, join(directory, name));
  const socket = join(directory, 'processes.socket');
  let connections = 0;
  if (serve) {
    const server = createServer((connection) => {
      connections++;
      onTestFinished(() => void connection.destroy());
      connection.on('error', () => undefined);
      serve(connection);
    });
    server.listen(socket);
    await once(server, 'listening');
    onTestFinished(() => void server.close());
  }
  let nowMs = 0;
  const problems: string[] = [];
  const table = createProcessTable(
    directory,
    createProcessLooks({
      monotonicMs: () => nowMs,
      path: socket,
      onSilence: (problem) => void problems.push(problem),
    }),
  );
  const later = (ms: number): void => {
    nowMs += ms;
  };
  return { table, later, socket, problems, connections: () => connections };
}

async function sleeper() {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  const identity = await visible.identify(child.pid ?? 0);
  if (!identity) throw new Error('a living child is in view');
  const kill = async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return { identity, kill };
}

test('a hidden process is identified by whoever sees it, as if it were in view, and known to be gone', async () => {
  const [one, other] = [await sleeper(), await sleeper()];
  const { table, connections } = await hidden(servedByProgram);
  const [first, second] = await Promise.all([one, other].map(({ identity }) => table.identify(identity.pid)));
  expect([first, second]).toEqual([one.identity, other.identity]);
  await one.kill();
  expect(await table.isAlive(one.identity)).toBe(false);
  expect(await table.identify(one.identity.pid)).toBeUndefined();
  expect(await table.isAlive(other.identity)).toBe(true);
  expect(await table.isAlive({ ...other.identity, startTicks: '1' })).toBe(false);
  expect(connections()).toBe(1);
});

test("where nobody answers, nobody is identified, and one is gone when its number is nobody's", async () => {
  const { identity, kill } = await sleeper();
  const { table, later, socket, problems } = await hidden();
  expect(await table.identify(identity.pid)).toBeUndefined();
  later(61_000);
  expect(await table.isAlive(identity)).toBe(true);
  expect(await table.isAlive({ ...identity, startTicks: '1' })).toBe(true);
  expect(await table.isAlive({ ...identity, bootId: 'another boot' })).toBe(false);
  await kill();
  expect(await table.isAlive(identity)).toBe(false);
  expect(problems).toEqual([
    expect.stringContaining(
      `asking at ${JSON.stringify(socket)} whether a process of another user lives got`,
    ),
  ]);
});

test.each<[string, (connection: Socket) => void]>([
  ['is silent', () => undefined],
  ['hangs up', (connection) => void connection.destroy()],
  ['talks without end', (connection) => void connection.write('x'.repeat(100_000))],
])('one that %s is asked again after a while, and not for each session', async (_, misbehave) => {
  const { identity } = await sleeper();
  let isWell = false;
  const { table, later, connections } = await hidden((connection) =>
    isWell ? servedByProgram(connection) : misbehave(connection),
  );
  expect(await table.identify(identity.pid)).toBeUndefined();
  isWell = true;
  expect(await Promise.all([1, 2, 3].map(() => table.isAlive(identity)))).toEqual([true, true, true]);
  expect(connections()).toBe(1);
  later(61_000);
  expect(await table.identify(identity.pid)).toEqual(identity);
});

test('whoever answers may be started anew between two questions', async () => {
  const { identity } = await sleeper();
  const open: Socket[] = [];
  const { table, later, connections } = await hidden((connection) => {
    open.push(connection);
    servedByProgram(connection);
  });
  expect(await table.identify(identity.pid)).toEqual(identity);
  open[0]?.destroy();
  // Until that has come through, a question fails.
  await eventually(async () => {
    later(61_000);
    return (await table.identify(identity.pid)) !== undefined && connections() === 2;
  });
});

test.each(['1; id', '../1', '-1', '', '99999999999'])(
  'the program answers numbers alone: %j',
  async (question) => {
    const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(`${question}\n1\n`);
    let said = '';
    child.stdout.on('data', (bytes) => {
      said += bytes;
    });
    const [code] = await once(child, 'close');
    expect([code, said]).toEqual([64, '']);
  },
);

test('the program tells of a process whose name has line breaks', async () => {
  const child = spawn('sh', ['-c', 'printf "two\\nlines) S" >/proc/$$/comm; echo; read _'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const { table } = await hidden(servedByProgram);
  const found = await table.identify(child.pid ?? 0);
  expect(found).toBeDefined();
  expect(found).toEqual(await visible.identify(child.pid ?? 0));
});

/** In a mount namespace of its own: as where the host hides processes from everybody. */
test('the program says of nobody that they are gone where it does not see all', async () => {
  const hide = `mount -t tmpfs none /proc && printf '%s\\n' 1 | ${program}; echo $?`;
  const child = spawn('unshare', ['--map-root-user', '--mount', 'sh', '-c', hide], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (bytes) => {
    said += bytes;
  });
  await once(child, 'close');
  expect(said).toBe('69\n');
});
